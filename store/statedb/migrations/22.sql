-- Add orchestration_decisions table for task classification feedback loop
-- checksum 878-C-;

CREATE TABLE orchestration_decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    input_text TEXT NOT NULL,
    domain TEXT NOT NULL,
    complexity TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    model_tier TEXT NOT NULL DEFAULT 'balanced',
    reason TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT 'pending',
    tokens_used INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    FOREIGN KEY (run_id) REFERENCES pipeline_run(run_id) ON DELETE CASCADE
);
CREATE INDEX idx_orchestration_pipeline ON orchestration_decision(pipeline_name);
CREATE INDEX idx_orchestration_domain ON orchestration_decision(domain, complexity);
CREATE INDEX idx_orchestration_outcome ON orchestration_decision(outcome);
