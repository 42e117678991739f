"""A batch of operations in one request: its items, their operations, and a result for each."""
