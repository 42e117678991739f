"""The published language: what happened (events), what a reader sees (views), and where both are found (addresses)."""
