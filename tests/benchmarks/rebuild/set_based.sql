-- The rebuild that a team without a fold would write: the same two tables from the benchmark's four event types.
BEGIN;
SET LOCAL work_mem = '256MB';
SET LOCAL maintenance_work_mem = '256MB';
CREATE TABLE bench.product_view (
    product_id uuid NOT NULL, stream_version int NOT NULL, log_position bigint NOT NULL, status text NOT NULL,
    slug text NOT NULL, name text NOT NULL, brand text, product_type text, category text, tags text[] NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, document bytea
) WITH (fillfactor = 80);
CREATE TABLE bench.product_view_variant (
    product_id uuid NOT NULL, sku text NOT NULL, currency text NOT NULL, amount numeric NOT NULL
);
CREATE TEMPORARY TABLE folded ON COMMIT DROP AS
SELECT product_id, stream_version, log_position, created, created_at, updated_at, published_at,
       coalesce(details ->> 'description', created ->> 'description') AS description,
       coalesce(price -> 'price', created -> 'variants' -> 0 -> 'price') AS price
FROM (
    SELECT product_id, max(stream_version) AS stream_version, max(position) AS log_position,
           min(recorded_at) AS created_at, max(recorded_at) AS updated_at,
           max(recorded_at) FILTER (WHERE event_type = 'product-published') AS published_at,
           convert_from((array_agg(data) FILTER (WHERE event_type = 'product-created'))[1], 'UTF8')::jsonb AS created,
           convert_from((array_agg(data ORDER BY stream_version DESC)
                         FILTER (WHERE event_type = 'product-details-changed'))[1], 'UTF8')::jsonb AS details,
           convert_from((array_agg(data ORDER BY stream_version DESC)
                         FILTER (WHERE event_type = 'product-price-changed'))[1], 'UTF8')::jsonb AS price
    FROM catalogue.events
    GROUP BY product_id
) AS latest;
INSERT INTO bench.product_view
SELECT product_id, stream_version, log_position, CASE WHEN published_at IS NULL THEN 'draft' ELSE 'active' END,
       created ->> 'slug', created ->> 'name', created ->> 'brand', created ->> 'product_type', created ->> 'category',
       ARRAY(SELECT jsonb_array_elements_text(created -> 'tags')), created_at, updated_at,
       convert_to(json_build_object(
           'id', product_id, 'version', stream_version,
           'status', CASE WHEN published_at IS NULL THEN 'draft' ELSE 'active' END,
           'slug', created -> 'slug', 'name', created -> 'name', 'description', description,
           'brand', created -> 'brand', 'product_type', created -> 'product_type', 'category', created -> 'category',
           'tags', created -> 'tags', 'attributes', created -> 'attributes', 'images', created -> 'images',
           'variants', json_build_array(created -> 'variants' -> 0 || jsonb_build_object('price', price)),
           'created_at', created_at, 'updated_at', updated_at, 'published_at', published_at)::text, 'UTF8')
FROM folded;
INSERT INTO bench.product_view_variant
SELECT product_id, created -> 'variants' -> 0 ->> 'sku', price ->> 'currency', (price ->> 'amount')::numeric
FROM folded;
ALTER TABLE bench.product_view ADD PRIMARY KEY (product_id);
CREATE INDEX ON bench.product_view (slug);
CREATE INDEX ON bench.product_view (updated_at DESC, product_id) WHERE status <> 'deleted';
CREATE INDEX ON bench.product_view (name COLLATE "C", product_id) WHERE status <> 'deleted';
CREATE INDEX ON bench.product_view (category COLLATE "C") WHERE status <> 'deleted';
CREATE INDEX ON bench.product_view (brand) WHERE status <> 'deleted';
CREATE INDEX ON bench.product_view USING gin (tags) WHERE status <> 'deleted';
ALTER TABLE bench.product_view_variant ADD PRIMARY KEY (product_id, sku);
CREATE INDEX ON bench.product_view_variant (sku);
CREATE INDEX ON bench.product_view_variant (currency, amount, product_id);
ANALYZE bench.product_view;
ANALYZE bench.product_view_variant;
COMMIT;
