"""The event store, read-only, and the queue of webhook deliveries in the read model."""
