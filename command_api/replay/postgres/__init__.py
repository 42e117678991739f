"""Reading a range of the log, with filters."""
