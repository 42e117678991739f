-- The topic lacks the states of these partitions, or has others: the topic or the table was created again.
-- $1 partitions, NULL for all
UPDATE views.product_state SET published_version = 0
WHERE ($1::int[] IS NULL OR partition = ANY ($1::int[])) AND published_version > 0
