-- The table of operator actions becomes the audit log: each entry says how the action ended, and nobody but the
-- owner of the table can choose the time or the id of an entry, or change one. The queue holds the entries that no
-- projector has written to its log yet. The code before this migration adds entries of actions that were done.
ALTER TABLE views.operator_action ADD COLUMN result text NOT NULL DEFAULT 'done'
    CHECK (result IN ('done', 'failed', 'started', 'stopped'));

CREATE TABLE views.unlogged_operator_action (
    operator_action_id bigint PRIMARY KEY
);

REVOKE INSERT ON views.operator_action FROM catalogue_projector;
GRANT INSERT (actor, action, projection, product_id, reason, result, detail) ON views.operator_action
    TO catalogue_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON views.unlogged_operator_action TO catalogue_projector;
