-- Nobody connects to this database but the roles of the projector and of the query API: PostgreSQL lets every role of the server.
-- The projector makes temporary tables when it compares a view with the log.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO catalogue_projector, catalogue_reader', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO catalogue_projector', current_database());
END
$$;
