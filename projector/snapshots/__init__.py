"""Makes the snapshots of streams that were long before there were any, or before the fold changed."""
