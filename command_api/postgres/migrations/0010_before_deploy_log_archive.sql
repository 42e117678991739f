-- Partitions of the log that were copied to files, and those that were removed after that (decision 28). Only the owner of the
-- tables writes here: the commands archive-log and restore-log.
CREATE TABLE catalogue.archived_partitions (
    partition_name text        PRIMARY KEY,
    lower_position bigint      NOT NULL,
    upper_position bigint      NOT NULL,        -- without this one
    events         bigint      NOT NULL,
    sha256         text        NOT NULL,        -- of its rows in order, as COPY writes them in its binary format
    archived_at    timestamptz NOT NULL DEFAULT now(),
    removing_at    timestamptz,                 -- from here on nobody relies on the partition; it may still be there
    removed_at     timestamptz
);

-- Products with events in removed partitions; each was deleted long before. Their rows in catalogue.streams stay, so that no
-- product ever gets such an id again.
CREATE TABLE catalogue.gone_streams (
    product_id     uuid NOT NULL,
    partition_name text NOT NULL REFERENCES catalogue.archived_partitions,
    PRIMARY KEY (product_id, partition_name)
);

GRANT SELECT ON catalogue.archived_partitions, catalogue.gone_streams TO catalogue_writer, catalogue_log_reader;
