-- What follows in the log after position $1: at most $2 events, cut after the event with which the data exceeds $3 bytes, so that
-- the first event is always returned, however large.
SELECT position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS bytes_before
    FROM (SELECT * FROM catalogue.events WHERE position > $1 ORDER BY position LIMIT $2) AS tail
) AS measured
WHERE bytes_before < $3
ORDER BY position
