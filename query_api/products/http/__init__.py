"""Products over HTTP: the FastAPI routes, and the hot read that answers before the framework."""
