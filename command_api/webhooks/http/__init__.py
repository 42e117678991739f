"""The routes of webhook endpoints."""
