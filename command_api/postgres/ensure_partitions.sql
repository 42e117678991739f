-- Makes the partitions that are missing for $1 empty ones; returns how many it made.
SELECT catalogue.ensure_partitions($1)
