"""The replay command: publishes a range of the event log to a topic again, marked as a replay."""
