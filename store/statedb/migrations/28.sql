-- Drop ontology_usage table (feature removed)
-- checksum 130-D-;

DROP TABLE ontology_usage;
