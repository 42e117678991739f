"""Search: what matches a query, in which order, and counts of what else could be chosen."""
