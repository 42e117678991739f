"""The replay command: a range of the event log to a topic once more, marked as a replay."""
