-- Add checkpoint table and forked_from column for fork/rewind support
-- checksum 648-C-;

CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    step_index INTEGER NOT NULL,
    workspace_path TEXT NOT NULL DEFAULT '',
    workspace_commit_sha TEXT DEFAULT '',
    artifact_snapshot TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_checkpoint_run ON checkpoint(run_id);
CREATE UNIQUE INDEX idx_checkpoint_run_step ON checkpoint(run_id, step_id);
ALTER TABLE pipeline_run ADD COLUMN forked_from_run_id TEXT DEFAULT '';
