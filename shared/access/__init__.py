"""Who may do what: bearer tokens (RFC 6750, RFC 9068), the keys that prove them, and the scopes of routes."""
