-- The live tables become the previous ones, the shadow becomes live, in the caller's transaction, which holds the
-- checkpoints.
CREATE OR REPLACE FUNCTION views.switch_shadow(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
BEGIN
    PERFORM views.drop_copy(of_projection, 'views_previous');
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection ORDER BY 1 LOOP
        EXECUTE format('ALTER TABLE views.%I SET SCHEMA views_previous', one);
        EXECUTE format('ALTER TABLE views_shadow.%I SET SCHEMA views', one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.switch_shadow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.switch_shadow TO catalogue_projector;
