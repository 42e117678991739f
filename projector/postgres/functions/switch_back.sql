-- The previous tables become the live ones again; the live ones become the shadow, to be looked at or dropped.
CREATE OR REPLACE FUNCTION views.switch_back(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
BEGIN
    PERFORM views.drop_copy(of_projection, 'views_shadow');
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection ORDER BY 1 LOOP
        EXECUTE format('ALTER TABLE views.%I SET SCHEMA views_shadow', one);
        EXECUTE format('ALTER TABLE views_previous.%I SET SCHEMA views', one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.switch_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.switch_back TO catalogue_projector;
