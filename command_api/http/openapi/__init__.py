"""The OpenAPI document of the write endpoints."""
