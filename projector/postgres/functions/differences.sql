-- Rows that differ between the live tables and the shadow in some buckets, as JSON; at most rows_max a table.
CREATE OR REPLACE FUNCTION views.differences(of_projection text, buckets int[], without uuid[], rows_max int)
RETURNS TABLE (table_name text, row_key text, live text, shadow text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one     text;
    key     text;
    columns text;
BEGIN
    FOR one IN
        SELECT t.table_name FROM views.rebuildable_table AS t
        WHERE t.projection = of_projection AND NOT (t.is_shared AND cardinality(without) > 0)
        ORDER BY 1
    LOOP
        SELECT CASE WHEN count(*) > 0 THEN 'uuid_hash(%1$s.product_id)' ELSE 'hashtext(%1$s::text)' END INTO key
        FROM pg_attribute WHERE attrelid = format('views.%I', one)::regclass AND attname = 'product_id';
        SELECT string_agg(quote_ident(attname), ', ') INTO columns
        FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indrelid = format('views.%I', one)::regclass AND indisprimary;
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, concat_ws('' '', %s), to_jsonb(live)::text, to_jsonb(shadow)::text
             FROM (SELECT %s FROM views.%I AS l WHERE %s & 255 = ANY ($1) AND %s) AS live
             FULL JOIN (SELECT %s FROM views_shadow.%I AS s WHERE %s & 255 = ANY ($1) AND %s) AS shadow USING (%s)
             WHERE live IS DISTINCT FROM shadow LIMIT $3',
            one, columns, views.compared_columns(one), one, format(key, 'l'),
            CASE WHEN key LIKE 'uuid%' THEN 'l.product_id <> ALL ($2)' ELSE 'true' END,
            views.compared_columns(one), one, format(key, 's'),
            CASE WHEN key LIKE 'uuid%' THEN 's.product_id <> ALL ($2)' ELSE 'true' END, columns)
            USING buckets, without, rows_max;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.differences FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.differences TO catalogue_projector;
