"""The read models: a folder each, with its fold, its tables and its SQL."""
