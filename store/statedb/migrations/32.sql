-- Add worksource_binding table for issue→pipeline dispatch (epic #1565 PRE-5)
-- checksum 483-C-;

CREATE TABLE worksource_binding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    forge TEXT NOT NULL,
    repo TEXT NOT NULL,
    selector TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    trigger TEXT NOT NULL CHECK (trigger IN ('on_demand','on_label','on_open','scheduled')),
    config TEXT,
    active BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX idx_worksource_binding_active ON worksource_binding(forge, repo) WHERE active = 1;
