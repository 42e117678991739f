-- What cannot be applied is parked here, in the transaction of the batch that met it, and what operators order.

-- One row a product of which an event is parked: the lock under which it is drained, and its bounds.
CREATE TABLE views.parked_product (
    projection   text        NOT NULL,
    product_id   uuid        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL,
    error_class  text        NOT NULL,
    cause        text        NOT NULL,
    events       int         NOT NULL,             -- how many are parked
    attempts     int         NOT NULL DEFAULT 1,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, product_id)
) WITH (fillfactor = 70);
CREATE INDEX parked_product_partition ON views.parked_product (projection, topic, partition);

-- One row a record, bytes untouched. product_id NULL: it could not be read, so it belongs to no sequence.
CREATE TABLE views.parked_event (
    parked_event_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection       text        NOT NULL,
    product_id       uuid,
    topic            text        NOT NULL,
    partition        int         NOT NULL,
    record_offset    bigint      NOT NULL,
    record_timestamp bigint      NOT NULL,         -- milliseconds since 1970
    key              bytea,
    value            bytea,
    header_names     text[]      NOT NULL,
    header_values    bytea[]     NOT NULL,         -- an element may be NULL
    log_position     bigint,
    stream_version   int,
    event_id         uuid,
    event_type       text,
    correlation_id   text,
    error_class      text        NOT NULL,
    cause            text        NOT NULL,
    parked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    copied_at        timestamptz,                  -- when the dead-letter topic had confirmed its copy
    UNIQUE (projection, topic, partition, record_offset)
);
CREATE INDEX parked_event_sequence ON views.parked_event (projection, product_id, stream_version);
CREATE INDEX parked_event_uncopied ON views.parked_event (projection, parked_event_id) WHERE copied_at IS NULL;

-- A record that an operator told a projection to park, because nothing else gets it past that record.
CREATE TABLE views.park_order (
    projection    text        NOT NULL,
    topic         text        NOT NULL,
    partition     int         NOT NULL,
    record_offset bigint      NOT NULL,
    reason        text        NOT NULL,
    ordered_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, topic, partition, record_offset)
);

-- Whether a projection is to run; revision rises with each pause and each resume.
CREATE TABLE views.projection_control (
    projection text        PRIMARY KEY,
    is_paused  bool        NOT NULL,
    reason     text        NOT NULL,
    revision   int         NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who did what by hand, and why; nobody deletes from it.
CREATE TABLE views.operator_action (
    operator_action_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    acted_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor              text        NOT NULL,
    action             text        NOT NULL,
    projection         text        NOT NULL,
    product_id         uuid,
    reason             text        NOT NULL,
    detail             text        NOT NULL
);

-- How far behind each projection is in each partition, as its consumer measured it a moment ago.
CREATE TABLE views.projection_lag (
    projection   text        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL,
    log_position bigint      NOT NULL,
    next_offset  bigint      NOT NULL,
    lag_events   bigint      NOT NULL,
    lag_seconds  float8      NOT NULL,
    trouble      text,                             -- why it does not go on, where it does not
    measured_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, topic, partition)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.parked_product, views.parked_event, views.park_order,
    views.projection_control, views.projection_lag TO catalogue_projector;
GRANT SELECT, INSERT ON views.operator_action TO catalogue_projector;
GRANT SELECT ON views.parked_product, views.parked_event, views.park_order, views.projection_control,
    views.operator_action, views.projection_lag TO catalogue_reader;
