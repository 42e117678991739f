"""The relay process: the event log to Kafka, in order, by one process at a time."""
