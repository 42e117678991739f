"""The consumer of notifications, and the retry topics where a mail waits for its next attempt."""
