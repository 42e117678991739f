-- Answers how many empty partitions then stand ahead of the newest position.
SELECT catalogue.partitions_ahead() FROM (SELECT catalogue.ensure_partitions() OFFSET 0) AS made
