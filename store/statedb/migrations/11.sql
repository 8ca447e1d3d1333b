-- Add ontology_usage table for decision lineage tracking
-- checksum 586-C-;

CREATE TABLE ontology_usage (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    context_name TEXT NOT NULL,
    invariant_count INTEGER NOT NULL DEFAULT 0,
    step_status TEXT NOT NULL,
    contract_passed INTEGER,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_ontology_usage_context ON ontology_usage(context_name);
CREATE INDEX idx_ontology_usage_run ON ontology_usage(run_id);
