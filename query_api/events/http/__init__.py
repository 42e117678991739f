"""The feed over HTTP: pages, and streams of server-sent events."""
