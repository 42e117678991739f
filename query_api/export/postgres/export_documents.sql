-- The documents of all products in these statuses, as text: the inside of a COPY.
-- The one parameter is the statuses. (COPY has no parameters, so asyncpg writes the value into the text.)
SELECT convert_from(document, 'UTF8')
FROM views.product_view
WHERE status = ANY ($1::text[])
ORDER BY product_id
