"""Batches from Kafka through FastStream, and on its consumer what it lacks: seek, pause, explicit commits."""
