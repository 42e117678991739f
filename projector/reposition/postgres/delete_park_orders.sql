-- Orders to park a record name it by its offset, which another record may have now.
-- $1 projection, $2 topic
DELETE FROM views.park_order WHERE projection = $1 AND topic = $2
