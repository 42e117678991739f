-- The position up to which Kafka has confirmed everything.
SELECT log_position FROM catalogue.relay_cursor WHERE relay = $1
