-- The table of a partition as ensure_partitions makes it, with its bounds $2 and $3.
SELECT format('CREATE TABLE catalogue.%I (LIKE catalogue.events INCLUDING DEFAULTS, PRIMARY KEY (position), '
              'UNIQUE (product_id, stream_version), CHECK (position >= %s AND position < %s))',
              $1::text, $2::bigint, $3::bigint)
