-- Makes empty tables like the live ones. They get their indexes after the data (index_shadow); but tables that
-- products share get their primary key at once.
CREATE OR REPLACE FUNCTION views.make_shadow(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one     text;
    shared  bool;
    options text;
    key     record;
BEGIN
    PERFORM views.drop_copy(of_projection, 'views_shadow');
    FOR one, shared IN SELECT table_name, is_shared FROM views.rebuildable_table WHERE projection = of_projection
                       ORDER BY 1 LOOP
        EXECUTE format('CREATE TABLE views_shadow.%I (LIKE views.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS
            INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)', one, one);
        SELECT array_to_string(reloptions, ', ') INTO options FROM pg_class
        WHERE oid = format('views.%I', one)::regclass;
        IF options <> '' THEN
            EXECUTE format('ALTER TABLE views_shadow.%I SET (%s)', one, options);
        END IF;
        SELECT conname AS name, pg_get_constraintdef(oid) AS definition INTO key FROM pg_constraint
        WHERE conrelid = format('views.%I', one)::regclass AND contype = 'p';
        IF shared THEN
            EXECUTE format('ALTER TABLE views_shadow.%I ADD CONSTRAINT %I %s', one, key.name, key.definition);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON views_shadow.%I TO catalogue_projector', one);
        EXECUTE format('GRANT SELECT ON views_shadow.%I TO catalogue_reader', one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.make_shadow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.make_shadow TO catalogue_projector;
