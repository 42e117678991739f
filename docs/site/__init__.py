"""Builds a site from the pages of this repository: `make site`. It asks nothing of any other server."""
