-- Add completed_empty to pipeline_run status CHECK constraint
-- checksum 1221---;

CREATE TABLE pipeline_run_new (
    run_id TEXT PRIMARY KEY,
    pipeline_name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'completed_empty', 'failed', 'cancelled')),
    input TEXT,
    current_step TEXT,
    total_tokens INTEGER DEFAULT 0,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    cancelled_at INTEGER,
    error_message TEXT,
    tags_json TEXT DEFAULT '[]',
    branch_name TEXT DEFAULT '',
    pid INTEGER DEFAULT 0,
    parent_run_id TEXT,
    parent_step_id TEXT,
    forked_from_run_id TEXT DEFAULT ''
);
DROP TABLE pipeline_run;
ALTER TABLE pipeline_run_new RENAME TO pipeline_run;
CREATE INDEX idx_run_pipeline ON pipeline_run(pipeline_name);
CREATE INDEX idx_run_status ON pipeline_run(status);
CREATE INDEX idx_run_started ON pipeline_run(started_at);
CREATE INDEX idx_run_tags ON pipeline_run(tags_json);
CREATE INDEX idx_run_parent ON pipeline_run(parent_run_id);
