"""The HTTP interface of the command API; the only FastAPI code of this process."""
