"""Starts the system without containers (local) or in them (compose, kustomize), and holds its alerts."""
