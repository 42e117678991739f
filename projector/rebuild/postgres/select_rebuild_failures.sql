-- Products that a rebuild could not fold to the end.
-- $1 projection
SELECT product_id, stream_version, error_class, cause FROM views.rebuild_failure WHERE projection = $1
