-- Add last_heartbeat column to pipeline_run for liveness tracking
-- checksum 181-A-;

ALTER TABLE pipeline_run ADD COLUMN last_heartbeat INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idx_run_heartbeat ON pipeline_run(last_heartbeat) WHERE status = 'running';
