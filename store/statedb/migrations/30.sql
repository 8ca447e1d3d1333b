-- Add pipeline_version table for active-version tracking (epic #1565 PRE-5)
-- checksum 377-C-;

CREATE TABLE pipeline_version (
    pipeline_name TEXT NOT NULL,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    yaml_path TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (pipeline_name, version)
);
CREATE INDEX idx_pipeline_version_active ON pipeline_version(pipeline_name) WHERE active = 1;
