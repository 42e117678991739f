-- Count and hash of the rows of every table, by bucket of the product id, or of the row if the table has none. Leaves
-- some products out; if there are any, also the tables that products share. Copies at one position have one result.
CREATE OR REPLACE FUNCTION views.digest(of_projection text, of_schema text, without uuid[])
RETURNS TABLE (table_name text, bucket int, row_count bigint, hash numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
    key text;
BEGIN
    IF of_schema NOT IN ('views', 'views_shadow', 'views_previous') THEN
        RAISE EXCEPTION 'not a schema of views: %', of_schema;
    END IF;
    FOR one IN
        SELECT t.table_name FROM views.rebuildable_table AS t
        WHERE t.projection = of_projection AND NOT (t.is_shared AND cardinality(without) > 0)
        ORDER BY 1
    LOOP
        SELECT CASE WHEN count(*) > 0 THEN 'uuid_hash(whole.product_id)' ELSE 'hashtext(whole::text)' END INTO key
        FROM pg_attribute WHERE attrelid = format('views.%I', one)::regclass AND attname = 'product_id';
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, %s & 255, count(*), sum(hashtextextended(whole::text, 0)::numeric)
             FROM (SELECT %s FROM %I.%I) AS whole WHERE %s GROUP BY 2 ORDER BY 2',
            one, key, views.compared_columns(one), of_schema, one,
            CASE WHEN key LIKE 'uuid_hash%' THEN 'whole.product_id <> ALL ($1)' ELSE 'true' END) USING without;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION views.digest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.digest TO catalogue_projector;
