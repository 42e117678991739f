-- Makes empty copies of a view's tables.
-- $1 projection
SELECT views.make_shadow($1)
