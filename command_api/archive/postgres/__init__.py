"""The log's partitions, as the owner of the tables sees them."""
