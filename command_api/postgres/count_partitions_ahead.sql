-- The number of empty partitions ahead; a statement of its own, because one that also makes them would not see them.
SELECT catalogue.partitions_ahead()
