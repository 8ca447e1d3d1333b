-- Add pid column to pipeline_run for detached subprocess tracking
-- checksum 58-A-;

ALTER TABLE pipeline_run ADD COLUMN pid INTEGER DEFAULT 0;
