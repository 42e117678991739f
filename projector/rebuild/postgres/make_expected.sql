-- Makes temporary tables for the rows that a view should have; dropped at the end of the transaction.
-- $1 projection
SELECT views.make_expected($1)
