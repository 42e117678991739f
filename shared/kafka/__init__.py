"""Technical code for Kafka that the relay and the projector share."""
