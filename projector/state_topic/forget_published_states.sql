-- The topic has nothing of these partitions, or not what the table says: it was made anew, or the table was.
-- $1 partitions, NULL for all
UPDATE views.product_state SET published_version = 0
WHERE ($1::int[] IS NULL OR partition = ANY ($1::int[])) AND published_version > 0
