"""Tests; conftest.py starts the servers they need."""
