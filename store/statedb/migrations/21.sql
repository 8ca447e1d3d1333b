-- Add pipeline_outcome table for persistent outcome tracking
-- checksum 481-C-;

CREATE TABLE pipeline_outcome (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    type TEXT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_outcome_run ON pipeline_outcome(run_id);
CREATE INDEX idx_outcome_type_value ON pipeline_outcome(type, value);
