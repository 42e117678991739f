-- Who may change a projection's rebuild: the process that took its lock last. Every transaction of a rebuild compares
-- its own owner with this row and holds the row until it ends. So a process that has lost its lock changes nothing once
-- another one has taken it.
CREATE TABLE views.rebuild_owner (
    projection text        PRIMARY KEY,
    owner_id   uuid        NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT, UPDATE ON views.rebuild_owner TO catalogue_projector;
GRANT SELECT ON views.rebuild_owner TO catalogue_reader;
