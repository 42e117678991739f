-- Its bounds are checked by its constraint, so that attaching reads no row.
SELECT format('ALTER TABLE catalogue.events ATTACH PARTITION catalogue.%1$I FOR VALUES FROM (%2$s) TO (%3$s); '
              'GRANT SELECT ON catalogue.%1$I TO catalogue_writer, catalogue_log_reader',
              $1::text, $2::bigint, $3::bigint)
