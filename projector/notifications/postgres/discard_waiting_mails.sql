-- Discards every mail that would be sent by itself: single ones, digests, and events that wait for a digest. Each
-- recipient's gatherings get a digest that is discarded, so that they are purged with it.
WITH single AS (
    UPDATE views.notification SET state = 'discarded', settled_at = clock_timestamp()
    WHERE state IN ('planned', 'claimed', 'failed')
), unsent AS (
    UPDATE views.notification_digest SET state = 'discarded', settled_at = clock_timestamp(), retry_at = NULL
    WHERE state IN ('claimed', 'failed')
), given_up AS MATERIALIZED (
    SELECT recipient, gen_random_uuid() AS digest_id
    FROM (SELECT DISTINCT recipient FROM views.notification_gathering WHERE digest_id IS NULL) AS waiting
), closed AS (
    UPDATE views.notification_gathering AS gathering SET digest_id = given_up.digest_id
    FROM given_up
    WHERE gathering.recipient = given_up.recipient AND gathering.digest_id IS NULL
)
INSERT INTO views.notification_digest (digest_id, recipient, state, claim_id, settled_at)
SELECT digest_id, recipient, 'discarded', digest_id, clock_timestamp() FROM given_up
