-- The number of empty partitions after the newest position, for a metric and a readiness warning.
CREATE OR REPLACE FUNCTION catalogue.partitions_ahead() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*)::int
    FROM catalogue.event_log log, catalogue.event_position reached, pg_inherits partition
    WHERE partition.inhparent = 'catalogue.events'::regclass
      AND substring(partition.inhrelid::regclass::text FROM 'events_p(\d+)')::bigint
          > reached.last_value / log.partition_positions
$$;

REVOKE ALL ON FUNCTION catalogue.partitions_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.partitions_ahead TO catalogue_writer, catalogue_log_reader;
