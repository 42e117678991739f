-- Who changes the queues of these endpoints ($1) locks them first, in one order.
SELECT endpoint_id FROM views.webhook_endpoint WHERE endpoint_id = ANY ($1::uuid[]) ORDER BY endpoint_id FOR UPDATE
