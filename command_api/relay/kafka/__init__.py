"""Publishing to Kafka; the only aiokafka code of the package. A replay publishes with it, too."""
