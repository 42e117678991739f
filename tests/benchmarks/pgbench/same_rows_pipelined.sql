-- As same_rows, but all statements are sent at once.
\set n :n + 1
\set p :n / 5
\set v :n % 5
\if :v = 0
\startpipeline
BEGIN;
INSERT INTO catalogue.streams VALUES (md5(:client_id || '-' || :p)::uuid, 1, 1, 1);
INSERT INTO catalogue.reservations (kind, value, product_id) VALUES ('s', 'ocean-blue-shirt-' || :client_id || '-' || :p, md5(:client_id || '-' || :p)::uuid), ('k', 'OBS-' || :client_id || '-' || :p, md5(:client_id || '-' || :p)::uuid);
INSERT INTO catalogue.events (position, product_id, stream_version, schema_version, event_type, data, metadata, recorded_at) VALUES (nextval('catalogue.event_position'), md5(:client_id || '-' || :p)::uuid, 1, 1, 'product-created', '{"slug": "ocean-blue-shirt-000000-000000", "name": "Ocean Blue Shirt 000000-000000", "variants": [{"sku": "OBS-000000-000000-M", "options": {"size": "M"}, "price": {"amount": "50.00", "currency": "USD"}, "compare_at_price": null, "barcode": null, "weight_grams": null}], "description": "A shirt as blue as the ocean", "brand": "Ocean", "tags": ["men"]}', '{"event_id": "01a20451-c845-70d4-9b59-4105dfa55c9a", "correlation_id": "01a20451-c845-70d4-9b59-4105dfa55c9b", "causation_id": "01a20451-c845-70d4-9b59-4105dfa55c9c", "command_id": "01a20451-c845-70d4-9b59-4105dfa55c9c", "actor": "anonymous"}', clock_timestamp());
INSERT INTO catalogue.idempotency_keys (key, fingerprint, product_id, stream_version, last_position, status, body, created_at) VALUES (gen_random_uuid(), gen_random_uuid(), md5(:client_id || '-' || :p)::uuid, 1, 1, 200, '{"id": "01a20451-c845-70d4-9b59-4105dfa55c9a", "version": 1, "status": "draft", "slug": "ocean-blue-shirt-000000-000000"}', clock_timestamp());
COMMIT;
\endpipeline
\else
\startpipeline
BEGIN;
UPDATE catalogue.streams SET stream_version = :v + 1, last_position = 1 WHERE product_id = md5(:client_id || '-' || :p)::uuid AND stream_version = :v;
INSERT INTO catalogue.events (position, product_id, stream_version, schema_version, event_type, data, metadata, recorded_at) VALUES (nextval('catalogue.event_position'), md5(:client_id || '-' || :p)::uuid, :v + 1, 1, 'product-price-changed', '{"sku": "OBS-000000-000000-M", "price": {"amount": "45.00", "currency": "USD"}, "previous_price": {"amount": "50.00", "currency": "USD"}}', '{"event_id": "01a20451-c845-70d4-9b59-4105dfa55c9a", "correlation_id": "01a20451-c845-70d4-9b59-4105dfa55c9b", "causation_id": "01a20451-c845-70d4-9b59-4105dfa55c9c", "command_id": "01a20451-c845-70d4-9b59-4105dfa55c9c", "actor": "anonymous"}', clock_timestamp());
INSERT INTO catalogue.idempotency_keys (key, fingerprint, product_id, stream_version, last_position, status, body, created_at) VALUES (gen_random_uuid(), gen_random_uuid(), md5(:client_id || '-' || :p)::uuid, :v + 1, 1, 200, '{"id": "01a20451-c845-70d4-9b59-4105dfa55c9a", "version": 1, "status": "draft", "slug": "ocean-blue-shirt-000000-000000"}', clock_timestamp());
COMMIT;
\endpipeline
\endif
