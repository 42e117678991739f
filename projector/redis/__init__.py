"""Documents and list generations in Redis; the only redis-py code of the projector."""
