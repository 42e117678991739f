"""HTTP: the fast path before the framework, and the only FastAPI code of the query API."""
