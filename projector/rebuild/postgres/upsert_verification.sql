-- Store the result of a verification. The newer one by its start stays. A sample without differences does not replace one
-- with differences: it looked at other products. All times are of this server's clock.
-- $1 projection, $2 whether it was a sample, $3 log position, $4 products, $5 differences, $6 how many seconds it took
INSERT INTO views.verification AS held (projection, is_sample, started_at, log_position, products, differences)
VALUES ($1, $2, clock_timestamp() - make_interval(secs => $6::float8), $3, $4, $5)
ON CONFLICT (projection, is_sample) DO UPDATE
SET started_at = EXCLUDED.started_at, ended_at = clock_timestamp(), log_position = EXCLUDED.log_position,
    products = EXCLUDED.products, differences = EXCLUDED.differences
WHERE held.started_at <= EXCLUDED.started_at
  AND (NOT held.is_sample OR held.differences = 0 OR EXCLUDED.differences > 0)
