-- Makes the temporary tables that `verify` fills with the rows that a view should have: like the live ones, with
-- their keys. Runs with the caller's rights, so that the tables belong to the caller.
CREATE OR REPLACE FUNCTION views.make_expected(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
BEGIN
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection ORDER BY 1 LOOP
        EXECUTE format('CREATE TEMPORARY TABLE %I (LIKE views.%I INCLUDING ALL) ON COMMIT DROP', one, one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.make_expected FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.make_expected TO catalogue_projector;
