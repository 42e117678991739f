"""Batches from Kafka by FastStream, and what it lacks (seek, pause, explicit commits) on its consumer."""
