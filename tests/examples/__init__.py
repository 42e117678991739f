"""Services of other teams, written from the documentation: examples/ against real servers."""
