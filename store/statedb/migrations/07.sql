-- Add branch_name to pipeline_run for TUI header branch display
-- checksum 64-A-;

ALTER TABLE pipeline_run ADD COLUMN branch_name TEXT DEFAULT '';
