-- The whole log, for the checker.
SELECT position, product_id, stream_version, event_type, data, metadata FROM catalogue.events ORDER BY position
