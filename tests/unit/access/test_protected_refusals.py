"""A request that access control refuses has the headers for browsers, too, on every route of every port."""

import httpx

from shared.access.scopes import Scope
from shared.ops.http.server import HttpServer
from tests.answer_headers import must_be_protected
from tests.tokens import token
from tests.unit.access.ports import Port, address_of


async def test_each_refusal_of_access_control_is_protected(ports: dict[str, Port]) -> None:
    asked = 0
    for port in ports.values():
        server = HttpServer(port.app, host="127.0.0.1", port=0, port_setting="P")
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
                for row in port.rows:
                    if row.needs is None:
                        continue
                    others = token([scope for scope in Scope if scope is not row.needs])
                    for bearer, status in (("junk", 401), (others, 403)):
                        headers = {"authorization": f"Bearer {bearer}"}
                        answer = await client.request(row.method, address_of(row), headers=headers)
                        assert answer.status_code == status, (row, answer.text)
                        must_be_protected(status, answer.headers)
                        assert "www-authenticate" in answer.headers
                        asked += 1
        finally:
            await server.stop(5)
    assert asked > 60
