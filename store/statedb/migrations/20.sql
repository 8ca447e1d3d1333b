-- Add configured_model column to event_log for tier tracking
-- checksum 66-A-;

ALTER TABLE event_log ADD COLUMN configured_model TEXT DEFAULT '';
