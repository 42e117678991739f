-- Stores the records, in the given order. One that is parked already does not change. Returns the products of
-- those that are new.
-- $1 projection, then one element a record: $2 product ids, $3 topics, $4 partitions, $5 offsets, $6 timestamps in
-- milliseconds, $7 keys, $8 values, $9 header names, a JSON array each, $10 header values, a JSON array of hex
-- strings or null each, $11 log positions, $12 stream versions, $13 event ids, $14 event types,
-- $15 correlation ids, $16 error classes, $17 causes
INSERT INTO views.parked_event (
    projection, product_id, topic, partition, record_offset, record_timestamp, key, value, header_names,
    header_values, log_position, stream_version, event_id, event_type, correlation_id, error_class, cause
)
SELECT $1, product_id, topic, partition, record_offset, record_timestamp, key, value,
       ARRAY(SELECT name FROM jsonb_array_elements_text(names::jsonb) WITH ORDINALITY AS n(name, place) ORDER BY place),
       ARRAY(SELECT decode(hex, 'hex')
             FROM jsonb_array_elements_text(vals::jsonb) WITH ORDINALITY AS v(hex, place) ORDER BY place),
       log_position, stream_version, event_id, event_type, correlation_id, error_class, cause
FROM unnest(
    $2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[], $9::text[],
    $10::text[], $11::bigint[], $12::int[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[]
) WITH ORDINALITY AS dead_letter(
    product_id, topic, partition, record_offset, record_timestamp, key, value, names, vals, log_position,
    stream_version, event_id, event_type, correlation_id, error_class, cause, place
)
ORDER BY place
ON CONFLICT (projection, topic, partition, record_offset) DO NOTHING
RETURNING product_id
