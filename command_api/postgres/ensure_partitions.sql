-- Makes the partitions that are missing; answers how many it made.
SELECT catalogue.ensure_partitions()
