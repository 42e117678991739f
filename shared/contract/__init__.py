"""The published language: what happened (events), what a reader sees (views), where both are (addresses)."""
