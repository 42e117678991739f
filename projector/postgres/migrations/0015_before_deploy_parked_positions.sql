-- The export tells its readers from where to follow the events: before the first one that is parked. The bytes of dead
-- letters stay closed to the query API.
GRANT SELECT (topic, log_position) ON views.parked_event TO catalogue_reader;
