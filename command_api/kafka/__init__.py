"""Publishing to Kafka; the only aiokafka code of this process."""
