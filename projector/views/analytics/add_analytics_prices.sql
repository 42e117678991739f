-- Add a batch's moves of prices to the sums of their days and currencies, in the order of the key.
-- $1 days, $2 dimensions, $3 currencies, $4 categories, $5 brands, $6 to $8 price changes, increases, decreases,
-- $9 how many have a ratio, $10 sums of the ratios' logarithms
INSERT INTO views.analytics_price AS counted (
    day, dimension, currency, category, brand, price_changes, price_increases, price_decreases, compared,
    log_ratio_sum
)
SELECT *
FROM unnest(
    $1::date[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::numeric[]
) AS fact(
    day, dimension, currency, category, brand, price_changes, price_increases, price_decreases, compared,
    log_ratio_sum
)
ORDER BY day, dimension, currency COLLATE "C"
ON CONFLICT (day, dimension, currency) DO UPDATE
SET price_changes = counted.price_changes + EXCLUDED.price_changes,
    price_increases = counted.price_increases + EXCLUDED.price_increases,
    price_decreases = counted.price_decreases + EXCLUDED.price_decreases,
    compared = counted.compared + EXCLUDED.compared,
    log_ratio_sum = counted.log_ratio_sum + EXCLUDED.log_ratio_sum
