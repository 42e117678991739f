"""Traces: which work belongs to one request, in all processes, and how long each part of it took."""
