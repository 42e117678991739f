-- Add a batch's facts to the counts of their days, in the order of the key, so that two batches never deadlock on each
-- other.
-- $1 days, $2 dimensions, $3 categories, $4 brands, then numbers: $5 to $8 products created, published, archived,
-- restored, $9 deleted, $10 details changed, $11 to $13 variants added, changed, removed, $14 to $16 price changes,
-- increases, decreases
INSERT INTO views.analytics_change AS counted (
    day, dimension, category, brand, products_created, products_published, products_archived, products_restored,
    products_deleted, details_changed, variants_added, variants_changed, variants_removed, price_changes,
    price_increases, price_decreases
)
SELECT *
FROM unnest(
    $1::date[], $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
    $16::bigint[]
) AS fact(
    day, dimension, category, brand, products_created, products_published, products_archived, products_restored,
    products_deleted, details_changed, variants_added, variants_changed, variants_removed, price_changes,
    price_increases, price_decreases
)
ORDER BY day, dimension
ON CONFLICT (day, dimension) DO UPDATE
SET products_created = counted.products_created + EXCLUDED.products_created,
    products_published = counted.products_published + EXCLUDED.products_published,
    products_archived = counted.products_archived + EXCLUDED.products_archived,
    products_restored = counted.products_restored + EXCLUDED.products_restored,
    products_deleted = counted.products_deleted + EXCLUDED.products_deleted,
    details_changed = counted.details_changed + EXCLUDED.details_changed,
    variants_added = counted.variants_added + EXCLUDED.variants_added,
    variants_changed = counted.variants_changed + EXCLUDED.variants_changed,
    variants_removed = counted.variants_removed + EXCLUDED.variants_removed,
    price_changes = counted.price_changes + EXCLUDED.price_changes,
    price_increases = counted.price_increases + EXCLUDED.price_increases,
    price_decreases = counted.price_decreases + EXCLUDED.price_decreases
