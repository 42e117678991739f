-- What importers report when they end: for people who want to see what a file has changed. The events carry the id of their
-- import, too.
CREATE TABLE catalogue.imports (
    import_id        text        PRIMARY KEY,
    file             text        NOT NULL,
    caller           text        NOT NULL,
    started_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    products         int         NOT NULL,
    created          int         NOT NULL,
    changed          int         NOT NULL,
    unchanged        int         NOT NULL,
    rejected         int         NOT NULL,
    events           int,                          -- NULL: not counted
    rejects          jsonb       NOT NULL,         -- [{"lines", "key", "reason"}]
    rejects_left_out int         NOT NULL
);
CREATE INDEX imports_newest ON catalogue.imports (started_at DESC, import_id DESC);

GRANT SELECT ON catalogue.imports TO catalogue_log_reader;

-- Stores the report of an import; the same report may come again. Returns whether it is stored: no if another caller has
-- reported an import with this id. Only the newest `imports_max` are kept.
CREATE OR REPLACE FUNCTION catalogue.store_import(
    import_id text, file text, caller text, started_at timestamptz, finished_at timestamptz, products int, created int,
    changed int, unchanged int, rejected int, events int, rejects jsonb, rejects_left_out int, imports_max int
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO catalogue.imports AS stored
    VALUES (store_import.import_id, store_import.file, store_import.caller, store_import.started_at, store_import.finished_at,
            store_import.products, store_import.created, store_import.changed, store_import.unchanged, store_import.rejected,
            store_import.events, store_import.rejects, store_import.rejects_left_out)
    ON CONFLICT (import_id) DO UPDATE
    SET file = excluded.file, started_at = excluded.started_at, finished_at = excluded.finished_at,
        products = excluded.products, created = excluded.created, changed = excluded.changed,
        unchanged = excluded.unchanged, rejected = excluded.rejected, events = excluded.events, rejects = excluded.rejects,
        rejects_left_out = excluded.rejects_left_out
    WHERE stored.caller = excluded.caller;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM catalogue.imports old
    USING (
        SELECT newest.started_at, newest.import_id FROM catalogue.imports newest
        ORDER BY newest.started_at DESC, newest.import_id DESC OFFSET store_import.imports_max
    ) AS surplus
    WHERE old.import_id = surplus.import_id AND old.import_id <> store_import.import_id;
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION catalogue.store_import FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.store_import TO catalogue_writer;
