"""The statement that gives the log another id."""
