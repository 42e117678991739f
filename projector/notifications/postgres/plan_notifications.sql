-- Stores for each event and recipient whether it is a single mail or in a digest. A row that exists does not change.
-- one element a mail: $1 event ids, $2 recipients, $3 kinds, $4 product ids, $5 states, $6 gathering ids or NULL,
-- $7 log positions; $8 the claim id that means no claim
INSERT INTO views.notification (event_id, recipient, kind, product_id, state, gathering_id, log_position, claim_id)
SELECT *, $8 FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[]
)
ON CONFLICT (event_id, recipient) DO NOTHING
