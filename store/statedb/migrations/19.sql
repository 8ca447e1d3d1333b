-- Add model and adapter columns to event_log for step tracking
-- checksum 91-A-;

ALTER TABLE event_log ADD COLUMN model TEXT;
ALTER TABLE event_log ADD COLUMN adapter TEXT;
