-- Fix step_state primary key to composite (step_id, pipeline_id) — prevents cross-run collisions
-- checksum 654-C-;

CREATE TABLE step_state_new (
    step_id TEXT NOT NULL,
    pipeline_id TEXT NOT NULL,
    state TEXT NOT NULL,
    retry_count INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    completed_at INTEGER,
    workspace_path TEXT,
    error_message TEXT,
    visit_count INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (step_id, pipeline_id),
    FOREIGN KEY (pipeline_id) REFERENCES pipeline_state(pipeline_id) ON DELETE CASCADE
);
DROP TABLE step_state;
ALTER TABLE step_state_new RENAME TO step_state;
CREATE INDEX idx_step_pipeline_id ON step_state(pipeline_id);
