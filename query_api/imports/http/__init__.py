"""Imports over HTTP: the routes, and what OpenAPI says of them."""
