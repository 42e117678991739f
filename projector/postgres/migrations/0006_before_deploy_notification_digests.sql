-- Digests: what many events would tell one recipient becomes one mail. The old code does not know these tables and
-- goes on sending single mails beside them; an event has one row a recipient either way, so nobody is told twice.

-- How many single mails a recipient had in the present window. Its row is the lock under which mails are planned.
CREATE TABLE views.notification_pace (
    recipient         text        PRIMARY KEY,
    window_ends_at    timestamptz NOT NULL DEFAULT 'epoch',
    single_mails      int         NOT NULL DEFAULT 0,
    digest_not_before timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50);

-- What waits for a digest: of one recipient and one import, or of a burst of single changes.
CREATE TABLE views.notification_gathering (
    gathering_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient    text        NOT NULL,
    import_id    text        NOT NULL,             -- '': no import, a burst
    opened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at       timestamptz NOT NULL,
    events       int         NOT NULL,             -- tells whether a burst goes on; told is what the rows of views.notification say
    digest_id    uuid                              -- the mail that tells of it; NULL: it is still open
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX notification_gathering_open ON views.notification_gathering (recipient, import_id)
    WHERE digest_id IS NULL;
CREATE INDEX notification_gathering_digest ON views.notification_gathering (digest_id) WHERE digest_id IS NOT NULL;

-- One row a digest mail: committed before SMTP is spoken.
CREATE TABLE views.notification_digest (
    digest_id     uuid        PRIMARY KEY,
    digest_number bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,  -- the offset of its dead letter
    recipient     text        NOT NULL,
    state         text        NOT NULL CHECK (state IN (
        'claimed', 'sent', 'failed', 'refused', 'unknown', 'discarded'  -- as in views.notification
    )),
    claim_id      uuid        NOT NULL,
    attempts      int         NOT NULL DEFAULT 1,
    cause         text,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at    timestamptz,
    retry_at      timestamptz,                     -- of a failed one: when it is tried again; NULL: not by itself
    parked_at     timestamptz                      -- since when it is a dead letter
) WITH (fillfactor = 50);
CREATE INDEX notification_digest_unfinished ON views.notification_digest (recipient)
    WHERE state IN ('claimed', 'failed', 'refused', 'unknown');
CREATE INDEX notification_digest_settled ON views.notification_digest (settled_at)
    WHERE state IN ('sent', 'discarded');

ALTER TABLE views.notification
    ADD COLUMN gathering_id bigint,                -- of a gathered one
    ADD COLUMN log_position bigint,                -- of the event; NULL in rows from before
    DROP CONSTRAINT notification_state_check,
    ADD CONSTRAINT notification_state_check CHECK (state IN (
        'planned',   -- a single mail that nobody has claimed yet
        'gathered',  -- a digest tells of it: see the gathering
        'claimed', 'sent', 'failed', 'refused', 'unknown', 'discarded'
    )) NOT VALID;
CREATE INDEX notification_gathered ON views.notification (gathering_id) WHERE gathering_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON views.notification_pace TO catalogue_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON views.notification_gathering, views.notification_digest TO catalogue_projector;
GRANT DELETE ON views.notification TO catalogue_projector;
GRANT SELECT ON views.notification_pace, views.notification_gathering, views.notification_digest TO catalogue_reader;
