-- Two rights that nobody uses: everybody could count the empty partitions, and readers of the log could read the
-- idempotency keys with the answers that their callers got.
REVOKE ALL ON FUNCTION catalogue.partitions_ahead() FROM PUBLIC;
REVOKE SELECT ON catalogue.idempotency_keys FROM catalogue_reader;
