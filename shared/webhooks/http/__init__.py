"""The reads of webhooks over HTTP, which both APIs serve."""
