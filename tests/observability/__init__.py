"""Rules, boards and runbooks: they name what exists, and each alert fires, stays silent and clears."""
