-- Add description and metadata columns to pipeline_outcome (merge of internal/deliverable into state.OutcomeRecord)
-- checksum 152-A-;

ALTER TABLE pipeline_outcome ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_outcome ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
