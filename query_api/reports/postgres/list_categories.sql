-- One page of categories by path, with their products by status: in the category itself, and in or below it.
-- Needs a new plan for each call, so that unused filters cost nothing.
-- $1 statuses: a category needs a product with one of them in or below it; $2 the category above or NULL; $3 the only
-- depth or NULL; $4 the greatest depth or NULL; $5 the path after which the page begins or NULL; $6 row limit
SELECT path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived
FROM views.category_view_category
WHERE (('draft' = ANY ($1::text[]) AND subtree_draft > 0)
       OR ('active' = ANY ($1) AND subtree_active > 0)
       OR ('archived' = ANY ($1) AND subtree_archived > 0))
  -- Categories below `a` begin with `a/`, and `0` is the character after `/`.
  AND ($2::text IS NULL OR (path > $2 || '/' AND path < $2 || '0'))
  AND ($3::int IS NULL OR depth = $3)
  AND ($4::int IS NULL OR depth <= $4)
  AND ($5::text IS NULL OR path > $5)
ORDER BY path
LIMIT $6::int
