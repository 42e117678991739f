-- Which products hold these slugs.
SELECT value AS slug, product_id FROM catalogue.reservations WHERE kind = 's' AND value = ANY ($1::text[])
