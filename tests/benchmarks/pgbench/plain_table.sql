-- The table for one plain row per transaction.
CREATE TABLE plain_event (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id uuid NOT NULL, stream_version int NOT NULL,
    event_type text NOT NULL, data bytea NOT NULL, metadata bytea NOT NULL, recorded_at timestamptz NOT NULL,
    UNIQUE (product_id, stream_version));
