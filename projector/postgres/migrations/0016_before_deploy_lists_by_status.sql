-- Lists without a filter find their page without a walk over products of another status: imported drafts and archived
-- products often stand together at the beginning. A list of several statuses takes a page of each.
--
-- Both take about 6 seconds for a million products. The projector waits as long; readers do not.
-- Deleted products are in them, too, on purpose: see query_api/products/postgres/list_products_by_status.sql.
CREATE INDEX product_view_status_updated ON views.product_view (status, updated_at DESC, product_id);
CREATE INDEX product_view_status_name ON views.product_view (status, name COLLATE "C", product_id);
