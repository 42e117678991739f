"""A batch of operations in one request: its items, what each says, and a result for each."""
