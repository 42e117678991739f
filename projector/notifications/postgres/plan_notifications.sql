-- How each event is told to each recipient. One that has a row already keeps it, whoever made it.
-- one element a mail: $1 event ids, $2 recipients, $3 kinds, $4 product ids, $5 states, $6 gathering ids or NULL,
-- $7 log positions; $8 claim id of nobody
INSERT INTO views.notification (event_id, recipient, kind, product_id, state, gathering_id, log_position, claim_id)
SELECT *, $8 FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[]
)
ON CONFLICT (event_id, recipient) DO NOTHING
