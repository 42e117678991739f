"""The table of products that lists and look-ups read."""
