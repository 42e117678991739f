"""The HTTP face of the command API; the only FastAPI code of this process."""
