"""The state of the system for operators: log, relay, projections, cache, rebuilds; now and a while ago."""
