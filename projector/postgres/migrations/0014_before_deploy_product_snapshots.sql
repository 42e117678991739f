-- Documents of products with many events at some of their versions, so that the past of such a product is folded from there, and not
-- from its first event on.
CREATE TABLE views.product_snapshot (
    product_id     uuid   NOT NULL,
    fold           text   NOT NULL,   -- the hash of the code's fold (shared/contract/snapshots.py): other code does not read it
    stream_version int    NOT NULL,
    log_position   bigint NOT NULL,   -- of the event that made this version: readers compare it with the log
    document       bytea  NOT NULL,
    PRIMARY KEY (product_id, fold, stream_version)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.product_snapshot TO catalogue_projector;
GRANT SELECT ON views.product_snapshot TO catalogue_reader;
