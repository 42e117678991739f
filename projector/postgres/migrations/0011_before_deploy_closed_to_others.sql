-- Nobody connects to this database but the roles of the projector and of the query API: PostgreSQL lets every role of the server.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO catalogue_projector, catalogue_reader', current_database());
END
$$;
