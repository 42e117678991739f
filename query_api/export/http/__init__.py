"""The export over HTTP: its route, its encodings, and an answer that is cut off if it is not whole."""
