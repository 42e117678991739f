"""A short run of the load generator against the whole system: every request is accounted for."""

from pathlib import Path

import pytest

from shared.ops.secret import Secret
from tests.end_to_end.system import System
from tests.load.client import Client, NoAnswer
from tests.load.plan import TOKEN_READ, Plan, rates
from tests.load.report import document
from tests.load.report_text import markdown
from tests.load.run import Lengths, Target, run

pytestmark = pytest.mark.servers
PLAN = Plan(
    seconds=3,
    rates=rates(commands=15, reads=40, imports=1),
    seed=11,
    token_reads=0.5,
    products=20,
    import_products=5,
)


async def test_every_request_of_a_run_is_answered_and_counted_once(system: System) -> None:
    ports = {process.name: process.ops_port for process in system.processes}
    target = Target(system.command_url, system.query_url, {**ports, "not here": 1}, system.folder)
    lengths = Lengths(warm_up_seconds=1, cost_seconds=1, sample_seconds=1)
    parts, missing = await run(target, PLAN, lengths, is_quiet=True)
    report = document(PLAN, parts, [], missing, "make load")

    assert [part["name"] for part in report["parts"]] == ["commands alone", "reads alone", "mix"]
    for part in report["parts"]:
        for kind, figures in part["kinds"].items():
            assert figures["offered"] == figures["requests"], kind
            assert figures["requests"] == figures["admitted"] + figures["shed"] + figures["errors"], kind
        assert part["all"]["errors"] == 0, part["all"]
        assert part["all"]["offered"] == sum(kind["offered"] for kind in part["kinds"].values())
        assert set(part["processes"]) == set(ports)
    mix = report["parts"][-1]["kinds"]
    assert set(mix) == {*PLAN.rates, TOKEN_READ}
    assert report["processes_not_available"] == ["not here"]
    assert "## mix: 3 s" in markdown(report)


async def test_a_system_that_is_not_there_gives_no_figures() -> None:
    target = Target("http://127.0.0.1:1", "http://127.0.0.1:1", {}, Path())
    with pytest.raises(NoAnswer, match="cannot connect"):
        await run(target, PLAN, Lengths(), is_quiet=True)


async def test_the_token_of_a_file_is_sent_and_a_new_one_after_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    client = Client("http://127.0.0.1:1", connections_max=1, seconds_max=1, token=Secret.from_file(file))
    assert b"\r\nauthorization: Bearer first\r\n" in client._bytes("GET", "/", b"", {})
    file.write_text("the second\n")
    assert b"\r\nauthorization: Bearer the second\r\n" in client._bytes("GET", "/", b"", {})
