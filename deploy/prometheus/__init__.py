"""Prometheus for a local stack: rules, and a configuration with the ports of this installation."""
