-- Add visit_count column to step_state for graph-mode loop tracking
-- checksum 73-A-;

ALTER TABLE step_state ADD COLUMN visit_count INTEGER NOT NULL DEFAULT 0;
