"""The whole system from outside: real processes, HTTP in, HTTP out, and a foreign Kafka client."""
