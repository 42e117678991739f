-- Drops every function, procedure and trigger of the database, so that the files create them again.
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT made.oid FROM pg_proc AS made JOIN pg_namespace AS namespace ON namespace.oid = made.pronamespace
        WHERE namespace.nspname NOT IN ('pg_catalog', 'information_schema')
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE objid = made.oid AND classid = 'pg_proc'::regclass AND deptype = 'e')
    LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', routine);
    END LOOP;
END
$$
