-- Functions and procedures with their full definition, the roles that may call them, and the triggers that call them.
-- The result does not depend on their owner; overloads of one name are one row.
SELECT namespace.nspname || '.' || routine.proname AS name,
       string_agg(concat_ws(E'\n', pg_get_functiondef(routine.oid), callers.text, triggers.text), E'\n'
                  ORDER BY pg_get_function_identity_arguments(routine.oid)) AS definition
FROM pg_proc AS routine
JOIN pg_namespace AS namespace ON namespace.oid = routine.pronamespace
CROSS JOIN LATERAL (
    SELECT string_agg('GRANT EXECUTE TO ' || role.name || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
                      E'\n' ORDER BY role.name) AS text
    FROM aclexplode(coalesce(routine.proacl, acldefault('f', routine.proowner)))
    CROSS JOIN LATERAL (
        SELECT CASE grantee WHEN routine.proowner THEN 'its owner' WHEN 0 THEN 'PUBLIC'
                            ELSE grantee::regrole::text END AS name
    ) AS role
) AS callers
CROSS JOIN LATERAL (
    SELECT string_agg(pg_get_triggerdef(oid), E'\n' ORDER BY pg_get_triggerdef(oid)) AS text
    FROM pg_trigger WHERE tgfoid = routine.oid AND NOT tgisinternal AND tgparentid = 0
) AS triggers
WHERE routine.prokind IN ('f', 'p', 'w')
  AND namespace.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = routine.oid AND classid = 'pg_proc'::regclass AND deptype = 'e')
GROUP BY 1
