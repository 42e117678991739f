-- The query whose rows make the file of a partition.
SELECT format('SELECT position, product_id, stream_version, schema_version, event_type, data, metadata, recorded_at '
              'FROM catalogue.%I ORDER BY position', $1::text)
