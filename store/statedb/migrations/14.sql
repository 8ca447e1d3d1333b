-- Add parent_run_id and parent_step_id to pipeline_run for sub-pipeline composition
-- checksum 186-A-;

ALTER TABLE pipeline_run ADD COLUMN parent_run_id TEXT;
ALTER TABLE pipeline_run ADD COLUMN parent_step_id TEXT;
CREATE INDEX idx_run_parent ON pipeline_run(parent_run_id);
