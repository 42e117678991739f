"""The Kafka plumbing that the relay and the projectors share."""
