-- What a shard needs beside the migrations of the event store: names with their claims, fences, and a floor for positions.
-- The rows ('f', claim) of catalogue.reservations are what an append with a claim leaves, and what a fence is.
CREATE SCHEMA sharding;

CREATE TABLE sharding.names (
    name       text COLLATE "C" PRIMARY KEY,
    product_id uuid NOT NULL,
    claim      text NOT NULL,
    is_held    bool NOT NULL DEFAULT false
);
-- Claims get a floor that is not below the position at which a product was last seen without the name.
CREATE TABLE sharding.clock (position bigint NOT NULL, singleton bool PRIMARY KEY DEFAULT true CHECK (singleton));
INSERT INTO sharding.clock VALUES (0);

-- NULL: it is claimed, and floor_ is set. Else the row of who has it.
CREATE FUNCTION sharding.claim(name_ text, product_id_ uuid, claim_ text,
    OUT floor_ bigint, OUT product_id uuid, OUT claim text, OUT is_held bool)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO sharding.names AS held (name, product_id, claim) VALUES (name_, product_id_, claim_)
    ON CONFLICT (name) DO UPDATE SET claim = claim_, is_held = false
    WHERE held.is_held AND held.product_id = product_id_;
    IF FOUND THEN
        SELECT clock.position INTO floor_ FROM sharding.clock;
    ELSE
        SELECT row.product_id, row.claim, row.is_held INTO product_id, claim, is_held
        FROM sharding.names AS row WHERE row.name = name_ FOR SHARE;
    END IF;
END
$$;

CREATE FUNCTION sharding.confirm(name_ text, claim_ text) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE sharding.names SET is_held = true WHERE name = name_ AND claim = claim_ AND NOT is_held;
    RETURN FOUND;
END
$$;

CREATE FUNCTION sharding.free(name_ text, claim_ text, is_held_ bool, position_ bigint) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM sharding.names WHERE name = name_ AND claim = claim_ AND is_held = is_held_;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sharding.clock SET position = position_ WHERE position < position_;
    RETURN true;
END
$$;

-- Under the append's lock: afterwards the append with this claim is in the log, or it is refused for ever.
CREATE FUNCTION sharding.fence_claim(claim_ text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_advisory_xact_lock(7281044, 1);
    INSERT INTO catalogue.reservations (kind, value, product_id) VALUES ('f', claim_, '00000000-0000-0000-0000-000000000000')
    ON CONFLICT DO NOTHING;
$$;

CREATE FUNCTION sharding.drop_open_claim(claim_ text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM catalogue.reservations
    WHERE kind = 'f' AND value = claim_ AND product_id <> '00000000-0000-0000-0000-000000000000';
$$;

-- In the transaction of the append, and before it: takes its lock, so that no other append draws a position between.
CREATE FUNCTION sharding.raise_position(floor_ bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_advisory_xact_lock(7281044, 1);
    SELECT setval('catalogue.event_position', floor_) FROM catalogue.event_position WHERE last_value < floor_;
$$;

GRANT USAGE ON SCHEMA sharding TO catalogue_writer;
GRANT SELECT ON sharding.names TO catalogue_writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sharding TO catalogue_writer;
