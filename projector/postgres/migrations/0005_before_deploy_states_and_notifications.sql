-- What is to stand in the topic of latest states, and which mails were claimed, so that none goes out twice.

-- One row a product: its newest document, and the version of it that the compacted topic has for certain.
CREATE TABLE views.product_state (
    product_id        uuid        PRIMARY KEY,
    partition         int         NOT NULL,            -- of the events and of the state alike
    stream_version    int         NOT NULL,
    log_position      bigint      NOT NULL,            -- of the event that made this version
    recorded_at       timestamptz NOT NULL,            -- when that event happened
    document          bytea,                           -- NULL: deleted, a tombstone in the topic
    published_version int         NOT NULL DEFAULT 0,  -- 0: nothing; a row made anew is published anew
    saved_at          timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX product_state_unpublished ON views.product_state (partition, log_position)
    WHERE published_version < stream_version;

-- How much of it the topic has is no matter of the log.
INSERT INTO views.rebuildable_table VALUES
    ('products_state', 'product_state', false, '{published_version, saved_at}');

-- One row a mail: committed before SMTP is spoken, and never deleted, because it is what keeps a second one away.
CREATE TABLE views.notification (
    event_id   uuid        NOT NULL,
    recipient  text        NOT NULL,
    kind       text        NOT NULL,
    product_id uuid        NOT NULL,
    state      text        NOT NULL CHECK (state IN (
        'claimed',   -- someone is sending it, or died while doing so
        'sent',      -- the mail server has taken it
        'failed',    -- certainly not sent: may be claimed again
        'refused',   -- certainly not sent, and trying again by itself is senseless
        'unknown',   -- may have been sent: only a person may have it sent again
        'discarded'  -- a person gave it up
    )),
    claim_id   uuid        NOT NULL,                   -- of the claim that the state is about
    attempts   int         NOT NULL DEFAULT 1,
    cause      text,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    PRIMARY KEY (event_id, recipient)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.product_state TO catalogue_projector;
GRANT SELECT, INSERT, UPDATE ON views.notification TO catalogue_projector;
GRANT SELECT ON views.product_state, views.notification TO catalogue_reader;
