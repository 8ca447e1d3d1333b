-- Add performance metrics tables (spec 018 - part 1)
-- checksum 912---;

CREATE TABLE performance_metric (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    persona TEXT,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    duration_ms INTEGER,
    tokens_used INTEGER DEFAULT 0,
    files_modified INTEGER DEFAULT 0,
    artifacts_generated INTEGER DEFAULT 0,
    memory_bytes INTEGER,
    success BOOLEAN DEFAULT TRUE,
    error_message TEXT,
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_perf_run ON performance_metric(run_id);
CREATE INDEX idx_perf_step ON performance_metric(step_id);
CREATE INDEX idx_perf_pipeline ON performance_metric(pipeline_name);
CREATE INDEX idx_perf_started ON performance_metric(started_at);
