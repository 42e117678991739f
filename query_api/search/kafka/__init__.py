"""Feeds the embedded index from the compacted topic of states."""
