-- Add evolution_proposal table for human-approve gate on auto-evolved pipelines (epic #1565 PRE-5)
-- checksum 660-C-;

CREATE TABLE evolution_proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline_name TEXT NOT NULL,
    version_before INTEGER NOT NULL,
    version_after INTEGER NOT NULL,
    diff_path TEXT NOT NULL,
    reason TEXT NOT NULL,
    signal_summary TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('proposed','approved','rejected','superseded')),
    proposed_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT
);
CREATE INDEX idx_evolution_proposal_status ON evolution_proposal(status, proposed_at DESC);
CREATE INDEX idx_evolution_proposal_pipeline ON evolution_proposal(pipeline_name);
