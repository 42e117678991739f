"""No page in a browser on this machine acts on a running system without access control, on any port."""

import httpx
import pytest

from tests.end_to_end.system import System

pytestmark = pytest.mark.servers
HERE = "http://localhost:3000"
ELSEWHERE = "https://evil.example"


async def test_every_port_refuses_a_page_of_another_site_and_a_name_that_only_leads_here(
    system: System,
) -> None:
    operations = [f"http://127.0.0.1:{process.ops_port}" for process in system.processes]
    ports = [system.command_url, system.query_url, *operations]
    assert len(ports) == 6
    async with httpx.AsyncClient(timeout=30) as client:
        for port in ports:
            here = await client.get(f"{port}/livez", headers={"origin": HERE})
            assert here.status_code == (200 if port in operations else 404), port
            page = await client.post(f"{port}/projections/pause", headers={"origin": ELSEWHERE})
            assert (page.status_code, page.json()["code"]) == (403, "origin-not-allowed"), port
            rebound = await client.get(f"{port}/v1/products", headers={"host": "evil.example"})
            assert (rebound.status_code, rebound.json()["code"]) == (421, "host-not-served"), port
