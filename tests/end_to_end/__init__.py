"""The whole system as its clients meet it: real processes, HTTP in, HTTP out, and a Kafka client not ours."""
