-- Deletes the checkpoints that `insert_absent_checkpoints.sql` inserted in this transaction.
-- $1 projection, $2 topic
DELETE FROM views.projection_checkpoint
WHERE projection = $1 AND topic = $2 AND log_id = '00000000-0000-0000-0000-000000000000'
