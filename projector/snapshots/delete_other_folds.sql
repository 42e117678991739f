-- Snapshots that only code with another fold reads.
-- $1 the fold
DELETE FROM views.product_snapshot WHERE fold <> $1
