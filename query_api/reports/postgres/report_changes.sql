-- One page of changes between two days, summed up by day, category or brand; the group without a category or brand
-- comes last. Needs a new plan for each call, so that the grouping is a plain column.
-- $1 first day, $2 last day, $3 category (it and all below it) or NULL, $4 brand or NULL, $5 day, category or brand,
-- $6 whether there are earlier pages, $7 the group after which this page begins, $8 row limit
SELECT key, sum(products_created)::bigint AS products_created, sum(products_published)::bigint AS products_published,
       sum(products_archived)::bigint AS products_archived, sum(products_restored)::bigint AS products_restored,
       sum(products_deleted)::bigint AS products_deleted, sum(details_changed)::bigint AS details_changed,
       sum(variants_added)::bigint AS variants_added, sum(variants_changed)::bigint AS variants_changed,
       sum(variants_removed)::bigint AS variants_removed, sum(price_changes)::bigint AS price_changes,
       sum(price_increases)::bigint AS price_increases, sum(price_decreases)::bigint AS price_decreases
FROM (
    SELECT *,
           CASE $5::text WHEN 'day' THEN to_char(day, 'YYYY-MM-DD') COLLATE "C" WHEN 'category' THEN category
                         ELSE brand END AS key
    FROM views.analytics_change
    WHERE day BETWEEN $1::date AND $2::date
      AND ($3::text IS NULL OR category = $3 OR (category > $3 || '/' AND category < $3 || '0'))
      AND ($4::text IS NULL OR brand = $4)
) AS change
WHERE NOT $6::bool OR (key IS NULL, coalesce(key, '')) > ($7::text IS NULL, coalesce($7, ''))
GROUP BY key
ORDER BY key IS NULL, key
LIMIT $8::int
