-- One page of price changes between two days, summed up by day, category or brand, and by currency; the group without
-- a category or brand comes last. Needs a new plan for each call.
-- $1 first day, $2 last day, $3 category (it and all below it) or NULL, $4 brand or NULL, $5 day, category or brand,
-- $6 whether there are earlier pages, $7 and $8 the group and currency after which this page begins, $9 row limit,
-- $10 currency or NULL
SELECT key, currency, sum(price_changes)::bigint AS price_changes, sum(price_increases)::bigint AS price_increases,
       sum(price_decreases)::bigint AS price_decreases, sum(compared)::bigint AS compared,
       sum(log_ratio_sum) AS log_ratio_sum
FROM (
    SELECT *,
           CASE $5::text WHEN 'day' THEN to_char(day, 'YYYY-MM-DD') COLLATE "C" WHEN 'category' THEN category
                         ELSE brand END AS key
    FROM views.analytics_price
    WHERE day BETWEEN $1::date AND $2::date
      AND ($3::text IS NULL OR category = $3 OR (category > $3 || '/' AND category < $3 || '0'))
      AND ($4::text IS NULL OR brand = $4)
      AND ($10::text IS NULL OR currency = $10)
) AS move
WHERE NOT $6::bool
   OR (key IS NULL, coalesce(key, ''), currency) > ($7::text IS NULL, coalesce($7, ''), $8::text)
GROUP BY key, currency
ORDER BY key IS NULL, key, currency
LIMIT $9::int
