"""Publishing to Kafka; the only aiokafka code of the package. Replays use it, too."""
