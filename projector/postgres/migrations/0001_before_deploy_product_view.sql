-- The read model: one row a product with what lists filter and sort by, and the document that readers get.
-- Rows are guarded by stream_version; each projection's checkpoint stands beside what it wrote.

CREATE SCHEMA IF NOT EXISTS views;

DO $$
BEGIN
    -- Group roles may already exist, as login roles, where the servers were set up for us.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue_projector') THEN
        CREATE ROLE catalogue_projector NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue_reader') THEN
        CREATE ROLE catalogue_reader NOLOGIN;
    END IF;
END
$$;

CREATE TABLE views.projection_checkpoint (
    projection   text        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL,
    next_offset  bigint      NOT NULL,            -- the Kafka offset to read next
    log_position bigint      NOT NULL,            -- of the last event applied or dropped
    log_id       uuid        NOT NULL,            -- which event store the positions belong to
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE views.product_view (
    product_id     uuid        PRIMARY KEY,
    stream_version int         NOT NULL,
    log_position   bigint      NOT NULL,          -- of the event that made this version
    status         text        NOT NULL CHECK (status IN ('draft', 'active', 'archived', 'deleted')),
    slug           text        NOT NULL,
    name           text        NOT NULL,
    brand          text,
    product_type   text,
    category       text,
    tags           text[]      NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    document       bytea                          -- NULL: deleted; the row stays so that late readers get 404
) WITH (fillfactor = 80);

-- Slugs and SKUs are unique in the log, not here: one may move to another product whose partition is
-- ahead of the first one's. A look-up takes the live row with the highest log_position.
CREATE INDEX product_view_slug ON views.product_view (slug);
CREATE INDEX product_view_updated ON views.product_view (updated_at DESC, product_id) WHERE status <> 'deleted';
CREATE INDEX product_view_name ON views.product_view (name COLLATE "C", product_id) WHERE status <> 'deleted';
CREATE INDEX product_view_category ON views.product_view (category COLLATE "C") WHERE status <> 'deleted';
CREATE INDEX product_view_brand ON views.product_view (brand) WHERE status <> 'deleted';
CREATE INDEX product_view_tags ON views.product_view USING gin (tags) WHERE status <> 'deleted';

-- One row a variant: SKU look-ups, price filters, and sorting by the cheapest variant in a currency.
CREATE TABLE views.product_view_variant (
    product_id uuid    NOT NULL,
    sku        text    NOT NULL,
    currency   text    NOT NULL,
    amount     numeric NOT NULL,
    PRIMARY KEY (product_id, sku)
);
CREATE INDEX product_view_variant_sku ON views.product_view_variant (sku);
CREATE INDEX product_view_variant_price ON views.product_view_variant (currency, amount, product_id);

GRANT USAGE ON SCHEMA views TO catalogue_projector, catalogue_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA views TO catalogue_projector;
GRANT SELECT ON ALL TABLES IN SCHEMA views TO catalogue_reader;
