-- The number of empty partitions after the newest position.
CREATE OR REPLACE FUNCTION catalogue.partitions_ahead() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT partitions_ahead FROM catalogue.log_room()
$$;

REVOKE ALL ON FUNCTION catalogue.partitions_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.partitions_ahead TO catalogue_writer, catalogue_log_reader;
