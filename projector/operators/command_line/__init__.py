"""`python -m projector COMMAND`."""
