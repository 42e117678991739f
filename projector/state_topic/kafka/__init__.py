"""The compacted topic of states, and the consumer that feeds it."""
