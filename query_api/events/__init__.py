"""All events of the catalogue in the order of the log, for subscribers without Kafka: pages and streams.

One tail of a process (`tail.py`) reads what is new, for all who wait; older events are read in pages.
"""
