"""The tail of the log, the relay's lock and its cursor."""
