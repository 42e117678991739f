"""Every right of every role in a database, from PostgreSQL's catalogue, as lines of a page."""

import re
from collections import defaultdict
from collections.abc import Iterable

import asyncpg

# Partitions have numbers as names, and more of them with every million events.
_partition = re.compile(r"(events_p)\d+")

_ATTRIBUTES = """
SELECT rolname,
       array_remove(ARRAY[
           CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreatedb THEN 'create databases' END,
           CASE WHEN rolcreaterole THEN 'create roles' END, CASE WHEN rolreplication THEN 'replication' END,
           CASE WHEN rolbypassrls THEN 'bypass row security' END, CASE WHEN rolcanlogin THEN 'log in' END
       ], NULL) AS attributes,
       ARRAY(SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = role.oid ORDER BY 1)
           AS memberships
FROM pg_roles AS role WHERE rolname LIKE 'catalogue\\_%' ORDER BY 1
"""
# An object without an access list has the default one. Its owner has all rights and is not listed.
_GRANTS = """
WITH ours AS (
    SELECT oid, nspname, nspacl, nspowner FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
), named (kind, name, acl, owner, class) AS (
    SELECT 'database', 'this database', datacl, datdba, 'd'::"char"
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'schema', nspname::text, nspacl, nspowner, 'n' FROM ours
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END,
           pg_class.oid::regclass::text, relacl, relowner, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"
    FROM pg_class JOIN ours ON ours.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'column', attrelid::regclass || '.' || quote_ident(attname), attacl, relowner, NULL
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN ours ON ours.oid = relnamespace
    UNION ALL
    SELECT CASE WHEN prosecdef THEN 'function with the rights of its owner' ELSE 'function' END,
           format('%s.%s (arguments: %s)', nspname, proname, pronargs), proacl, proowner, 'f'
    FROM pg_proc JOIN ours ON ours.oid = pronamespace
    UNION ALL
    SELECT 'type', pg_type.oid::regtype::text, typacl, typowner, NULL
    FROM pg_type JOIN ours ON ours.oid = typnamespace
    UNION ALL
    SELECT 'later objects (' || defaclobjtype::text || ')', coalesce(nspname, 'every schema')::text,
           defaclacl, defaclrole, NULL
    FROM pg_default_acl LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
)
SELECT kind, name, coalesce(rolname, 'PUBLIC') AS role, privilege_type AS privilege, is_grantable
FROM named
CROSS JOIN aclexplode(coalesce(acl, CASE WHEN class IS NOT NULL THEN acldefault(class, owner) END))
LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE owner <> grantee AND (rolname IS NULL OR rolname NOT LIKE 'pg\\_%')
"""
_OWNERS = """
WITH ours AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public$)')
SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
    SELECT nspowner AS owner FROM ours
    UNION ALL SELECT relowner FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours)
    UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
    UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
) AS owners
"""


async def role_lines(dsn: str) -> list[str]:
    """Attributes and memberships of our roles."""
    rows = await _fetch(dsn, _ATTRIBUTES)
    return [
        f"| `{row['rolname']}` | {', '.join(row['attributes']) or '-'} | "
        f"{', '.join(row['memberships']) or '-'} |"
        for row in rows
    ]


async def grant_lines(dsn: str) -> list[str]:
    """Role, kind, rights and the objects on which the role has just these."""
    rights: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in await _fetch(dsn, _GRANTS):
        right = row["privilege"] + (" (may grant it)" if row["is_grantable"] else "")
        rights[row["role"], row["kind"], _partition.sub(r"\1…", row["name"])].add(right)
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (role, kind, name), some in rights.items():
        grouped[role, kind, ", ".join(sorted(some))].append(name)
    return [
        f"| `{role}` | {kind} | {some} | {'<br>'.join(f'`{name}`' for name in sorted(set(names)))} |"
        for (role, kind, some), names in sorted(grouped.items())
    ]


async def owners(dsn: str) -> set[str]:
    """The roles that own anything of ours: an owner has every right, and can give it."""
    return {row["owner"] for row in await _fetch(dsn, _OWNERS)}


async def _fetch(dsn: str, query: str) -> Iterable[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()
