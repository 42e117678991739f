-- Makes one partition after the last one of the log, by hand, under a name that catalogue.ensure_partitions never uses.
-- Run it as the owner of the tables (EVENT_STORE_MIGRATE_DSN). Appends go on meanwhile.
BEGIN;
SET LOCAL lock_timeout = '5s';
DO $$
DECLARE
    lower_ bigint := (SELECT max(upper_position) FROM catalogue.log_partitions());
    size   bigint := (SELECT partition_positions FROM catalogue.event_log);
    name   text   := format('events_by_hand_%s', lower_);
BEGIN
    EXECUTE format('CREATE TABLE catalogue.%I (LIKE catalogue.events INCLUDING DEFAULTS, PRIMARY KEY (position),
        UNIQUE (product_id, stream_version), CHECK (position >= %s AND position < %s))', name, lower_, lower_ + size);
    EXECUTE format('ALTER TABLE catalogue.events ATTACH PARTITION catalogue.%I FOR VALUES FROM (%s) TO (%s)',
        name, lower_, lower_ + size);
    EXECUTE format('GRANT SELECT ON catalogue.%I TO catalogue_writer, catalogue_log_reader', name);
END
$$;
COMMIT;
