-- A shard as it was after the migrations; by its owner.
TRUNCATE catalogue.events, catalogue.streams, catalogue.reservations, catalogue.idempotency_keys, sharding.names;
UPDATE sharding.clock SET position = 0;
ALTER SEQUENCE catalogue.event_position RESTART
