"""`archive-log` and `restore-log`: partitions of the log leave the database, and come back."""
