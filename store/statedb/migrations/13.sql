-- Add retrospective table for run retrospective indexing
-- checksum 618-C-;

CREATE TABLE retrospective (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    smoothness TEXT DEFAULT '',
    status TEXT NOT NULL DEFAULT 'quantitative',
    file_path TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_retro_run ON retrospective(run_id);
CREATE INDEX idx_retro_pipeline ON retrospective(pipeline_name);
CREATE INDEX idx_retro_created ON retrospective(created_at);
