-- The query API's role has nothing to do here any more: everything that reads the log is catalogue_log_reader.
REVOKE ALL ON ALL TABLES IN SCHEMA catalogue FROM catalogue_reader;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA catalogue FROM catalogue_reader;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA catalogue FROM catalogue_reader;
REVOKE ALL ON SCHEMA catalogue FROM catalogue_reader;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM catalogue_reader', current_database());
END
$$;
