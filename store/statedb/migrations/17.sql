-- Add decision log table for structured decision tracking
-- checksum 655-C-;

CREATE TABLE decision_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL DEFAULT '',
    timestamp INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    category TEXT NOT NULL,
    decision TEXT NOT NULL,
    rationale TEXT NOT NULL DEFAULT '',
    context_json TEXT NOT NULL DEFAULT '{}',
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_decision_run ON decision_log(run_id);
CREATE INDEX idx_decision_step ON decision_log(run_id, step_id);
CREATE INDEX idx_decision_category ON decision_log(category);
