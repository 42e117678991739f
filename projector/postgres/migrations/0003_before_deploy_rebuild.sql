-- Rebuilding a view beside the one that serves: its tables once more in views_shadow, and after the switch the old
-- ones in views_previous. Whole tables move between the schemas, names, indexes and all, in one transaction.

CREATE SCHEMA views_shadow;
CREATE SCHEMA views_previous;
GRANT USAGE ON SCHEMA views_shadow, views_previous TO catalogue_projector, catalogue_reader;

-- Which tables make up a view: the functions below touch no others. A shared one has rows that several products
-- write (counts, a SKU that moves on): it needs its key while it is loaded, and is compared whole.
CREATE TABLE views.rebuildable_table (
    projection   text   NOT NULL,
    table_name   text   NOT NULL,
    is_shared    bool   NOT NULL,
    not_compared text[] NOT NULL DEFAULT '{}',     -- columns that do not follow from the log
    PRIMARY KEY (projection, table_name)
);
INSERT INTO views.rebuildable_table VALUES
    ('product_view', 'product_view', false), ('product_view', 'product_view_variant', false);

-- One rebuild a projection: how far it is, for whoever watches, resumes, or rolls back.
CREATE TABLE views.rebuild (
    projection       text        PRIMARY KEY,
    phase            text        NOT NULL,
    log_id           uuid        NOT NULL,
    target_position  bigint      NOT NULL,         -- the first pass reads the log up to here
    reached_position bigint      NOT NULL DEFAULT 0,
    slices           int         NOT NULL,         -- the first pass's parts, by hash of the product id
    slices_done      int[]       NOT NULL DEFAULT '{}',
    events_done      bigint      NOT NULL DEFAULT 0,
    generation       bigint      NOT NULL DEFAULT 0,         -- of a cache: the one being filled
    made_by          text        NOT NULL,                   -- the code's version: another's slices do not fit
    proof            text        NOT NULL DEFAULT '',
    checkpoints      text        NOT NULL DEFAULT '[]',      -- of the live view at the switch, for a roll-back
    started_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Products of which the rebuild could not apply an event: after the switch they are parked.
CREATE TABLE views.rebuild_failure (
    projection     text NOT NULL,
    product_id     uuid NOT NULL,
    stream_version int  NOT NULL,
    error_class    text NOT NULL,
    cause          text NOT NULL,
    PRIMARY KEY (projection, product_id)
);

GRANT SELECT ON views.rebuildable_table TO catalogue_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON views.rebuild, views.rebuild_failure TO catalogue_projector;
GRANT SELECT ON views.rebuild, views.rebuild_failure TO catalogue_reader;

-- Empty tables like the live ones, without indexes: those come when the data is there. Shared ones get their
-- primary key at once.
CREATE FUNCTION views.make_shadow(of_projection text) RETURNS void
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

-- The live tables' constraints and indexes, names included, and the planner's statistics.
CREATE FUNCTION views.index_shadow(of_projection text) RETURNS void
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

-- Live becomes previous, shadow becomes live. In the caller's transaction, which holds the checkpoints.
CREATE FUNCTION views.switch_shadow(of_projection text) RETURNS void
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

-- Previous becomes live again; what was live becomes the shadow, to be looked at or dropped.
CREATE FUNCTION views.switch_back(of_projection text) RETURNS void
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

CREATE FUNCTION views.drop_copy(of_projection text, of_schema text) RETURNS void
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

-- What of a table follows from the log, as a list of columns.
CREATE FUNCTION views.compared_columns(of_table text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
    FROM pg_attribute JOIN views.rebuildable_table ON table_name = of_table
    WHERE attrelid = format('views.%I', of_table)::regclass AND attnum > 0 AND NOT attisdropped
      AND attname <> ALL (not_compared)
$$;

-- Count and hash of the rows of every table, by bucket of the product id (or of the row, where there is none),
-- without some products; then also without what products share. Two copies at the same position answer the same.
CREATE FUNCTION views.digest(of_projection text, of_schema text, without uuid[])
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

-- Rows that differ between the live tables and the shadow in some buckets, as JSON; at most rows_max a table.
CREATE FUNCTION views.differences(of_projection text, buckets int[], without uuid[], rows_max int)
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

-- What a view should be, for `verify`: temporary tables like the live ones, keys and all. As the caller: they are
-- the caller's own.
CREATE FUNCTION views.make_expected(of_projection text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
BEGIN
    FOR one IN SELECT table_name FROM views.rebuildable_table WHERE projection = of_projection ORDER BY 1 LOOP
        EXECUTE format('CREATE TEMPORARY TABLE %I (LIKE views.%I INCLUDING ALL) ON COMMIT DROP', one, one);
    END LOOP;
END
$$;

-- Rows of the live tables that are not as expected, as JSON: of some products from the tables whose rows are of one
-- product each, which are then emptied for the next ones; or, without products, from the shared tables, whole.
CREATE FUNCTION views.unexpected(of_projection text, of_products uuid[])
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

REVOKE ALL ON FUNCTION views.make_shadow(text), views.index_shadow(text), views.switch_shadow(text),
    views.switch_back(text), views.drop_copy(text, text), views.digest(text, text, uuid[]),
    views.differences(text, int[], uuid[], int), views.make_expected(text), views.unexpected(text, uuid[]),
    views.compared_columns(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.make_shadow(text), views.index_shadow(text), views.switch_shadow(text),
    views.switch_back(text), views.drop_copy(text, text), views.digest(text, text, uuid[]),
    views.differences(text, int[], uuid[], int), views.make_expected(text), views.unexpected(text, uuid[]),
    views.compared_columns(text)
    TO catalogue_projector;
