-- Three more read models: products per category and brand, stock items, and what changed on which day.
-- Each has a row a product that says what of it is counted already, guarded by stream_version like product_view;
-- the statements that write it take what was counted before from that very row (RETURNING old: PostgreSQL 18).

-- category_view: what was counted of each product.
CREATE TABLE views.category_view_product (
    product_id     uuid   PRIMARY KEY,
    stream_version int    NOT NULL,
    log_position   bigint NOT NULL,
    status         text   NOT NULL CHECK (status IN ('draft', 'active', 'archived', 'deleted')),
    category       text,
    brand          text
) WITH (fillfactor = 70);

-- A category and each of its ancestors has a row as long as a product is in it or below it. No CHECK (n >= 0):
-- a proposed row of INSERT .. ON CONFLICT holds the difference, which may be negative.
CREATE TABLE views.category_view_category (
    path             text COLLATE "C" PRIMARY KEY,
    depth            int    NOT NULL,             -- 1 at the top
    draft            bigint NOT NULL,             -- products in this very category
    active           bigint NOT NULL,
    archived         bigint NOT NULL,
    subtree_draft    bigint NOT NULL,             -- in it or below it
    subtree_active   bigint NOT NULL,
    subtree_archived bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX category_view_category_depth ON views.category_view_category (depth, path);

CREATE TABLE views.category_view_brand (
    brand    text COLLATE "C" PRIMARY KEY,
    draft    bigint NOT NULL,
    active   bigint NOT NULL,
    archived bigint NOT NULL
) WITH (fillfactor = 50);

-- inventory: the SKUs that each product has, and since when.
CREATE TABLE views.inventory_product (
    product_id     uuid   PRIMARY KEY,
    stream_version int    NOT NULL,
    log_position   bigint NOT NULL,
    is_deleted     bool   NOT NULL,
    opened_at      bytea  NOT NULL                -- JSON: SKU -> RFC 3339
) WITH (fillfactor = 70);

-- One row a SKU that ever was. SKUs are unique in the log, but products come in any order: what a later position
-- says of a SKU replaces what an earlier one said, whole, whichever arrives first.
CREATE TABLE views.stock_item (
    sku          text COLLATE "C" PRIMARY KEY,
    product_id   uuid        NOT NULL,            -- that opened it last
    state        text        NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,
    log_position bigint      NOT NULL,            -- of the event that says so
    CHECK ((state = 'open') = (closed_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX stock_item_product ON views.stock_item (product_id);

-- analytics: what the next fact of each product needs to know.
CREATE TABLE views.analytics_product (
    product_id     uuid   PRIMARY KEY,
    stream_version int    NOT NULL,               -- facts up to here are counted
    log_position   bigint NOT NULL,
    is_deleted     bool   NOT NULL,
    category       text,
    brand          text,
    prices         bytea  NOT NULL                -- JSON: SKU -> money
) WITH (fillfactor = 70);

-- A row a UTC day, category and brand, as these were at the time of the event. `dimension` is a hash of category
-- and brand: either may be absent, and both together can be longer than an index entry may be.
CREATE TABLE views.analytics_change (
    day                date   NOT NULL,
    dimension          bytea  NOT NULL,
    category           text COLLATE "C",
    brand              text COLLATE "C",
    products_created   bigint NOT NULL,
    products_published bigint NOT NULL,
    products_archived  bigint NOT NULL,
    products_restored  bigint NOT NULL,
    products_deleted   bigint NOT NULL,
    details_changed    bigint NOT NULL,
    variants_added     bigint NOT NULL,
    variants_changed   bigint NOT NULL,
    variants_removed   bigint NOT NULL,
    price_changes      bigint NOT NULL,
    price_increases    bigint NOT NULL,
    price_decreases    bigint NOT NULL,
    PRIMARY KEY (day, dimension)
) WITH (fillfactor = 70);

-- The same for prices, by their currency. The mean of ln(new / old) over the compared changes is the logarithm
-- of the geometric mean of their ratios.
CREATE TABLE views.analytics_price (
    day             date    NOT NULL,
    dimension       bytea   NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    category        text COLLATE "C",
    brand           text COLLATE "C",
    price_changes   bigint  NOT NULL,
    price_increases bigint  NOT NULL,
    price_decreases bigint  NOT NULL,
    compared        bigint  NOT NULL,             -- of which new / old is known
    log_ratio_sum   numeric(30, 12) NOT NULL,
    PRIMARY KEY (day, dimension, currency)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.category_view_product, views.category_view_category,
    views.category_view_brand, views.inventory_product, views.stock_item, views.analytics_product,
    views.analytics_change, views.analytics_price TO catalogue_projector;
GRANT SELECT ON views.category_view_product, views.category_view_category, views.category_view_brand,
    views.inventory_product, views.stock_item, views.analytics_product, views.analytics_change,
    views.analytics_price TO catalogue_reader;

INSERT INTO views.rebuildable_table VALUES
    ('category_view', 'category_view_product', false), ('category_view', 'category_view_category', true),
    ('category_view', 'category_view_brand', true),
    ('inventory', 'inventory_product', false), ('inventory', 'stock_item', true),
    ('analytics', 'analytics_product', false), ('analytics', 'analytics_change', true),
    ('analytics', 'analytics_price', true);
