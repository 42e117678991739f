-- The query API shows operators how far rebuilds are, and the dead letters. The bytes of records stay closed to it, and so do
-- the causes of mails that were not sent: they name recipients.
GRANT SELECT (projection, phase, target_position, reached_position, events_done, started_at, changed_at)
    ON views.rebuild TO catalogue_reader;
GRANT SELECT (parked_event_id, stream_version, event_type) ON views.parked_event TO catalogue_reader;

-- Records that are parked alone: no product can be read from them, or they are mails.
CREATE VIEW views.parked_alone AS
SELECT parked_event_id, projection, topic, partition, record_offset, log_position, event_type, error_class,
       CASE WHEN projection <> 'notifications' THEN cause END AS cause, parked_at
FROM views.parked_event
WHERE product_id IS NULL;

GRANT SELECT ON views.parked_alone TO catalogue_reader;
