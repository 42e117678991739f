-- Rows of the live tables that differ from the expected ones, as JSON. With products: their rows, in the tables whose
-- rows belong to one product each. Without products: all rows of the tables that products share. Then empties the
-- expected tables that it has compared, for the next call.
CREATE OR REPLACE FUNCTION views.unexpected(of_projection text, of_products uuid[])
RETURNS TABLE (table_name text, row_key text, live text, expected text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one     text;
    columns text;
BEGIN
    FOR one IN SELECT t.table_name FROM views.rebuildable_table AS t
               WHERE t.projection = of_projection AND t.is_shared = (of_products IS NULL) ORDER BY 1 LOOP
        SELECT string_agg(quote_ident(attname), ', ') INTO columns
        FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indrelid = format('views.%I', one)::regclass AND indisprimary;
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, concat_ws('' '', %s), to_jsonb(live)::text, to_jsonb(expected)::text
             FROM (SELECT %s FROM views.%I %s) AS live
             FULL JOIN (SELECT %s FROM pg_temp.%I) AS expected USING (%s)
             WHERE live::text IS DISTINCT FROM expected::text',
            one, columns, views.compared_columns(one), one,
            CASE WHEN of_products IS NULL THEN '' ELSE 'WHERE product_id = ANY ($1)' END,
            views.compared_columns(one), one, columns)
            USING of_products;
        EXECUTE format('TRUNCATE pg_temp.%I', one);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.unexpected FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.unexpected TO catalogue_projector;
