-- The query API logs in as catalogue_reader. It needs no recipients of mails, no operators' names, no bytes of dead
-- letters and nothing about rebuilds; of the dead letters it counts those without a product.
REVOKE SELECT ON views.notification, views.notification_pace, views.notification_gathering,
    views.notification_digest, views.operator_action, views.park_order, views.parked_event, views.rebuild,
    views.rebuild_failure, views.rebuild_owner FROM catalogue_reader;
GRANT SELECT (projection, product_id) ON views.parked_event TO catalogue_reader;
