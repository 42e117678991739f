"""The relay's lock and cursor, for the one who makes the topics again."""
