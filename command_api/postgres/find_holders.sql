-- The products that hold these slugs and SKUs.
SELECT held.kind, held.value, held.product_id
FROM unnest($1::"char"[], $2::text[]) AS asked(kind, value)
JOIN catalogue.reservations held ON held.kind = asked.kind AND held.value = asked.value
