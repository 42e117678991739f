-- Drops a view's copies in the schema of shadows or of previous tables; refuses every other schema.
CREATE OR REPLACE FUNCTION views.drop_copy(of_projection text, of_schema text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
BEGIN
    IF of_schema NOT IN ('views_shadow', 'views_previous') THEN
        RAISE EXCEPTION 'not a schema of copies: %', of_schema;
    END IF;
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I.%I', of_schema, one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.drop_copy FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.drop_copy TO catalogue_projector;
