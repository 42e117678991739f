"""One command, or many at once: load, fold, decide, append, once for every idempotency key."""
