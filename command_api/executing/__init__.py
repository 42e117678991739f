"""Executes one command, or a batch: load, fold, decide, append, once for each idempotency key."""
