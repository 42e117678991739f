"""Repositions a projection: catches its view up from the log, then places it at the ends of the topic."""
