-- How far the changes of endpoints were read, and of which log. No row before the first reading.
SELECT change_position, log_id FROM views.webhook_place
