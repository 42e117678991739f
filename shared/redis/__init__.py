"""redis-py plumbing: a client whose time-outs and retries suit a query path."""
