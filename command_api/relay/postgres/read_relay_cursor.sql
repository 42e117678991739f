-- Up to where everything is confirmed.
SELECT log_position FROM catalogue.relay_cursor WHERE relay = $1
