-- Deletes brands without products. The batch has locked their rows already.
-- $1 brands
DELETE FROM views.category_view_brand
WHERE brand = ANY ($1::text[]) AND draft = 0 AND active = 0 AND archived = 0
