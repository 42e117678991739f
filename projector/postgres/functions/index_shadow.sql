-- Gives the shadow the constraints and indexes of the live tables, under the same names, and planner statistics.
CREATE OR REPLACE FUNCTION views.index_shadow(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one   text;
    index record;
BEGIN
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection ORDER BY 1 LOOP
        FOR index IN
            SELECT made.conname AS name, pg_get_constraintdef(made.oid) AS definition
            FROM pg_constraint AS made
            WHERE made.conrelid = format('views.%I', one)::regclass AND made.contype IN ('p', 'u')
              AND NOT EXISTS (SELECT FROM pg_constraint AS there WHERE there.conname = made.conname
                              AND there.conrelid = format('views_shadow.%I', one)::regclass)
        LOOP
            EXECUTE format('ALTER TABLE views_shadow.%I ADD CONSTRAINT %I %s', one, index.name, index.definition);
        END LOOP;
        FOR index IN
            SELECT pg_get_indexdef(made.indexrelid) AS definition
            FROM pg_index AS made
            JOIN pg_class AS named ON named.oid = made.indexrelid
            WHERE made.indrelid = format('views.%I', one)::regclass
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = made.indexrelid)
              AND to_regclass(format('views_shadow.%I', named.relname)) IS NULL
        LOOP
            EXECUTE replace(index.definition, format(' ON views.%I ', one), format(' ON views_shadow.%I ', one));
        END LOOP;
        EXECUTE format('ANALYZE views_shadow.%I', one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.index_shadow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.index_shadow TO catalogue_projector;
