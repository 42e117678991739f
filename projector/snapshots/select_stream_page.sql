-- Events of one product in the order of the stream.
-- $1 product id, $2 above this version, $3 up to this version, $4 events at most, $5 bytes of data at most
SELECT log_position AS position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at
FROM catalogue.stream_page($1, $2, $3, $4, $5)
