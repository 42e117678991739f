-- Where a consumer begins whose place is kept by its group in Kafka (the cache, the mails), after `reposition`. Its
-- consumer commits the place to the group, and then deletes the row.
CREATE TABLE views.starting_place (
    projection   text        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL CHECK (partition >= 0),
    next_offset  bigint      NOT NULL CHECK (next_offset >= 0),
    log_position bigint      NOT NULL CHECK (log_position >= 0),
    log_id       uuid        NOT NULL,
    ordered_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, topic, partition)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.starting_place TO catalogue_projector;
