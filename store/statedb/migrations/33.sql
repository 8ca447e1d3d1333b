-- Add schedule table for cron-driven pipeline runs (epic #1565 PRE-5)
-- checksum 361-C-;

CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline_name TEXT NOT NULL,
    cron_expr TEXT NOT NULL,
    input_ref TEXT,
    active BOOLEAN NOT NULL,
    next_fire_at INTEGER,
    last_run_id TEXT,
    created_at INTEGER NOT NULL
);
CREATE INDEX idx_schedule_due ON schedule(next_fire_at) WHERE active = 1;
