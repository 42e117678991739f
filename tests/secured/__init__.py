"""Servers that require TLS and a log-in, and refuse everything else."""
