-- Add pipeline_eval table for evolution signal aggregation (epic #1565 PRE-5)
-- checksum 457-C-;

CREATE TABLE pipeline_eval (
    pipeline_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    judge_score REAL,
    contract_pass BOOLEAN,
    retry_count INTEGER,
    failure_class TEXT,
    human_override BOOLEAN,
    duration_ms INTEGER,
    cost_dollars REAL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (pipeline_name, run_id)
);
CREATE INDEX idx_pipeline_eval_recorded ON pipeline_eval(pipeline_name, recorded_at DESC);
