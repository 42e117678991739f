"""Makes the topics again from the event log, after Kafka has lost them or the log has been replaced."""
