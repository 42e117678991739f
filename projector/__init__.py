"""Turns the events on Kafka into read models: rows in PostgreSQL, documents in Redis.

The path of one event: Kafka batch -> drop duplicates -> fold per product -> save with the
checkpoint in one transaction -> commit to Kafka.
"""
