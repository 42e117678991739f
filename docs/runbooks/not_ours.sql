-- Rules on the tables of the views that no migration of ours made: constraints, unique indexes, triggers. No row: all are ours.
-- Our checks and unique keys are named below (tests/integration/test_runbook_queries.py compares them); primary keys are not asked for.
SELECT conrelid::regclass AS "table", 'constraint' AS kind, conname AS name, pg_get_constraintdef(oid) AS rule
FROM pg_constraint
WHERE connamespace::regnamespace::text IN ('views', 'views_shadow', 'views_previous') AND contype IN ('c', 'u', 'f', 'x')
  AND conname NOT IN (
      'product_view_status_check', 'category_view_product_status_check', 'stock_item_check', 'stock_item_state_check',
      'notification_state_check', 'notification_digest_state_check', 'notification_digest_digest_number_key',
      'verification_log_position_check', 'verification_products_check', 'verification_differences_check',
      'starting_place_partition_check', 'starting_place_next_offset_check', 'starting_place_log_position_check',
      'operator_action_result_check', 'parked_event_projection_topic_partition_record_offset_key',
      'webhook_place_is_only_check', 'webhook_delivery_state_check', 'webhook_delivery_check'
  )
UNION ALL
SELECT indrelid::regclass, 'unique index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace::regnamespace::text IN ('views', 'views_shadow', 'views_previous') AND indisunique
  AND relname <> 'notification_gathering_open'
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
UNION ALL
SELECT tgrelid::regclass, 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace::regnamespace::text IN ('views', 'views_shadow', 'views_previous') AND NOT tgisinternal;
