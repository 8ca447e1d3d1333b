-- Add iterate metadata + run_kind + sub_pipeline_ref to pipeline_run for composition tree rendering (issue #1450)
-- checksum 430-A-;

ALTER TABLE pipeline_run ADD COLUMN iterate_index INTEGER;
ALTER TABLE pipeline_run ADD COLUMN iterate_total INTEGER;
ALTER TABLE pipeline_run ADD COLUMN iterate_mode TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_run ADD COLUMN run_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_run ADD COLUMN sub_pipeline_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX idx_run_kind ON pipeline_run(run_kind) WHERE run_kind != '';
