"""Webhooks: what the command API registers and the projector delivers by Standard Webhooks 1.0."""
