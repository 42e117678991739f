"""The limits of the log that settings and code share; settings import no code that logs."""

LINES_PER_SECOND_MAX = 100
"""Lines about answered requests, of each level."""
