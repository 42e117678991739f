-- Appended claims that nobody has dropped.
SELECT value, product_id FROM catalogue.reservations
WHERE kind = 'f' AND product_id <> '00000000-0000-0000-0000-000000000000' ORDER BY value, product_id
