"""Every right in both databases is on docs/privileges.md, and every right on that page exists.

After a wanted change, `WRITE_PAGES=1 make test ARGS=tests/integration/test_privileges.py` writes the page.
Read its diff as you would read a firewall rule.
"""

import os
import re
from pathlib import Path

import asyncpg
import pytest

from tests.integration.granted import grant_lines, owners, role_lines
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
PAGE = Path(__file__).parents[2] / "docs" / "privileges.md"
ROLES_HEAD = "| role | attributes | member of |\n|---|---|---|"
GRANTS_HEAD = "| role | kind | may | on |\n|---|---|---|---|"


def check(section: str, head: str, lines: list[str]) -> None:
    """The lines between the marks of this section."""
    marks = re.compile(rf"(?s)(<!-- begin {section} -->\n)(.*?)(\n<!-- end {section} -->)")
    table = "\n".join([head, *lines])
    if os.environ.get("WRITE_PAGES") == "1":
        PAGE.write_text(marks.sub(lambda found: f"{found[1]}{table}{found[3]}", PAGE.read_text()))
    found = marks.search(PAGE.read_text())
    assert found is not None, f"{PAGE.name} has no marks for {section}"
    assert found[2] == table


async def test_the_page_has_every_role_and_right_and_no_other(
    event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns
) -> None:
    check("roles", ROLES_HEAD, await role_lines(event_store_dsns.owner))
    check("event store", GRANTS_HEAD, await grant_lines(event_store_dsns.owner))
    check("read model", GRANTS_HEAD, await grant_lines(read_model_dsns.owner))


async def test_no_service_owns_anything(
    event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns
) -> None:
    """An owner has all rights, which no list of grants shows."""
    for dsns in (event_store_dsns, read_model_dsns):
        assert await owners(dsns.owner) == {"catalogue_migrate"}


@pytest.mark.parametrize(
    "change",
    [
        "GRANT DELETE ON catalogue.relay_cursor TO catalogue_writer",
        "GRANT UPDATE (data) ON catalogue.events TO catalogue_reader",
        "GRANT EXECUTE ON FUNCTION catalogue.append_event TO catalogue_projector",
        "GRANT USAGE ON SEQUENCE catalogue.event_position TO catalogue_reader",
        "GRANT CREATE ON SCHEMA catalogue TO catalogue_writer",
        "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
        "GRANT SELECT ON catalogue.events TO PUBLIC",
        "GRANT SELECT ON catalogue.events TO catalogue_writer WITH GRANT OPTION",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA catalogue GRANT SELECT ON TABLES TO catalogue_projector",
        "REVOKE SELECT ON catalogue.streams FROM catalogue_log_reader",
        "CREATE FUNCTION catalogue.forgotten() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
async def test_a_right_more_or_less_is_noticed(event_store_dsns: DatabaseDsns, change: str) -> None:
    before = await grant_lines(event_store_dsns.owner)
    connection = await asyncpg.connect(event_store_dsns.owner)
    try:
        await connection.execute(change.format(database=event_store_dsns.name))
    finally:
        await connection.close()
    assert await grant_lines(event_store_dsns.owner) != before
