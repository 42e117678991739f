-- One page of brands by name, with their products by status.
-- $1 statuses: a brand needs a product with one of them; $2 the brand after which the page begins or NULL; $3 row limit
SELECT brand, draft, active, archived
FROM views.category_view_brand
WHERE (('draft' = ANY ($1::text[]) AND draft > 0)
       OR ('active' = ANY ($1) AND active > 0)
       OR ('archived' = ANY ($1) AND archived > 0))
  AND ($2::text IS NULL OR brand > $2)
ORDER BY brand
LIMIT $3::int
