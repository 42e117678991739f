"""The streams of endpoints in the event store, and the read model for what deliveries know of them."""
