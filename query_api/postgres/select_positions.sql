-- How far the product view is in each partition of one topic.
SELECT partition, log_position
FROM views.projection_checkpoint
WHERE projection = 'product_view'
  AND topic = $1
