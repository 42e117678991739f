-- `verify` stores what it found, so that the projector can export it and an alert can be raised. One row for the newest
-- verification of each whole view, and one for the newest sample. A result cannot be deleted by a service.
CREATE TABLE views.verification (
    projection   text        NOT NULL,
    is_sample    boolean     NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    log_position bigint      NOT NULL CHECK (log_position >= 0),
    products     integer     NOT NULL CHECK (products >= 0),
    differences  integer     NOT NULL CHECK (differences >= 0),
    PRIMARY KEY (projection, is_sample)
);

GRANT SELECT, INSERT, UPDATE ON views.verification TO catalogue_projector;
