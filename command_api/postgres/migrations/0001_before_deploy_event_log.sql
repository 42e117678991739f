-- The event log and what guards it. Append only: nobody but the functions below writes, and no function
-- updates or deletes an event.

CREATE SCHEMA IF NOT EXISTS catalogue;

DO $$
BEGIN
    -- Group roles may already exist, as login roles, where the servers were set up for us.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue_writer') THEN
        CREATE ROLE catalogue_writer NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue_reader') THEN
        CREATE ROLE catalogue_reader NOLOGIN;
    END IF;
END
$$;

-- Which log this is: positions of another log (a wiped or restored store) must never be mistaken for these.
CREATE TABLE catalogue.event_log (
    log_id              uuid   NOT NULL DEFAULT gen_random_uuid(),
    partition_positions bigint NOT NULL DEFAULT 10000000,    -- how many positions one partition holds
    singleton           bool   PRIMARY KEY DEFAULT true CHECK (singleton)
);
INSERT INTO catalogue.event_log DEFAULT VALUES;

-- data and metadata are the JSON bytes as the codec wrote them: what was stored is what is published.
-- For people: catalogue.events_readable.
CREATE TABLE catalogue.events (
    position       bigint      NOT NULL,
    product_id     uuid        NOT NULL,
    stream_version int         NOT NULL,
    schema_version smallint    NOT NULL,
    event_type     text        NOT NULL,
    data           bytea       NOT NULL,
    metadata       bytea       NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);

-- CACHE 1 and drawn only under the append's lock: position order is commit order.
CREATE SEQUENCE catalogue.event_position AS bigint CACHE 1;

-- One row a product: the expected version is compared and set here. The positions bound what a load reads.
CREATE TABLE catalogue.streams (
    product_id     uuid   PRIMARY KEY,
    stream_version int    NOT NULL,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL
) WITH (fillfactor = 70);

-- Slugs and SKUs that live products hold; freed in the transaction that gives them up.
CREATE TABLE catalogue.reservations (
    kind       "char" NOT NULL,                   -- 's' slug, 'k' SKU
    value      text COLLATE "C" NOT NULL,
    product_id uuid   NOT NULL,
    PRIMARY KEY (kind, value)
);

-- Answers of commands that carried an Idempotency-Key, kept 24 h.
CREATE TABLE catalogue.idempotency_keys (
    key            uuid        PRIMARY KEY,       -- hash of caller and key
    fingerprint    uuid        NOT NULL,          -- hash of method, path, If-Match and body
    product_id     uuid        NOT NULL,
    stream_version int         NOT NULL,
    last_position  bigint      NOT NULL,
    status         smallint    NOT NULL,          -- HTTP status of the answer
    body           bytea       NOT NULL,
    created_at     timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_created_at ON catalogue.idempotency_keys USING brin (created_at);

-- How far the relay has published; moved only over what Kafka has confirmed.
CREATE TABLE catalogue.relay_cursor (
    relay        text        PRIMARY KEY,
    log_position bigint      NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE VIEW catalogue.events_readable AS
SELECT position, product_id, stream_version, event_type, schema_version,
       convert_from(data, 'UTF8')::jsonb AS data, convert_from(metadata, 'UTF8')::jsonb AS metadata, recorded_at
FROM catalogue.events;

GRANT USAGE ON SCHEMA catalogue TO catalogue_writer, catalogue_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA catalogue TO catalogue_writer, catalogue_reader;
GRANT SELECT ON SEQUENCE catalogue.event_position TO catalogue_writer, catalogue_reader;
GRANT INSERT, UPDATE ON catalogue.relay_cursor TO catalogue_writer;
