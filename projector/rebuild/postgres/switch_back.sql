-- The previous tables become live again, in the caller's transaction.
-- $1 projection
SELECT views.switch_back($1)
