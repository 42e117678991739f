-- The topic has nothing of these partitions: it was made anew.
-- $1 partitions
UPDATE views.product_state SET published_version = 0 WHERE partition = ANY ($1::int[]) AND published_version > 0
