-- The columns of a table that follow from the log, as a list.
CREATE OR REPLACE FUNCTION views.compared_columns(of_table text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
    FROM pg_attribute JOIN views.rebuildable_table ON table_name = of_table
    WHERE attrelid = format('views.%I', of_table)::regclass AND attnum > 0 AND NOT attisdropped
      AND attname <> ALL (not_compared)
$$;

REVOKE ALL ON FUNCTION views.compared_columns FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.compared_columns TO catalogue_projector;
