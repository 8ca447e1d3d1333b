-- Add tags support for pipeline runs
-- checksum 395---;

ALTER TABLE pipeline_run ADD COLUMN tags_json TEXT DEFAULT '[]';
CREATE INDEX idx_run_tags ON pipeline_run(tags_json);
