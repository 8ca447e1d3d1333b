-- Add artifact metadata extension (spec 018 - part 3)
-- checksum 625---;

CREATE TABLE artifact_metadata (
    artifact_id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    preview_text TEXT,
    mime_type TEXT,
    encoding TEXT,
    metadata_json TEXT,
    indexed_at INTEGER NOT NULL,
    FOREIGN KEY (artifact_id) REFERENCES artifact(id) ON DELETE CASCADE,
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_artifact_meta_run ON artifact_metadata(run_id);
CREATE INDEX idx_artifact_meta_step ON artifact_metadata(step_id);
