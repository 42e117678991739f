-- Makes the missing partitions; returns how many it made.
SELECT catalogue.ensure_partitions()
