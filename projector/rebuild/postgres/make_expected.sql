-- Temporary tables for what a view should be; gone with the transaction.
-- $1 projection
SELECT views.make_expected($1)
