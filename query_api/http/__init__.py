"""HTTP: the hot read before the framework, and the only FastAPI code of the query API."""
