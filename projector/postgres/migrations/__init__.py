"""The read-model database, step by step."""
