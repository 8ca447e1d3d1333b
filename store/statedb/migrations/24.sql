-- Backfill pipeline_run.total_tokens from event_log for legacy runs
-- checksum 248-U-;

-- Data only: it filled total_tokens of runs from before it was kept. An empty database has none.
