-- How many empty partitions follow the newest position, and how many positions are left in all.
SELECT catalogue.partitions_ahead() AS partitions_ahead, positions_left FROM catalogue.log_room()
