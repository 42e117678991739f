"""Every alert leads to a page, every page belongs to an alert, and what a page tells to type exists."""

import re
import shlex

import pytest

from command_api.command_line import command_parser
from deploy.local.settings import DEFAULT_PORTS
from projector.operators.command_line.commands import read_command
from tests.observability.rule_files import RUNBOOKS, alerts, pages_of
from tests.observability.runbook_pages import commands, pages

_SECTIONS = ["How to confirm it", "What to do", "How to know that it is over"]


_PORT = re.compile(r"127\.0\.0\.1(?::| -p )(\$\{(\w+):-(\d+)\}|\S+)")


def _texts() -> dict[str, str]:
    return {page.name: page.read_text() for page in RUNBOOKS.glob("*.md")}


def _wrong_ports(text: str) -> list[str]:
    """A port that a `make up` may have moved is written as a variable of `make shell`, with its default."""
    return [found[1] for found in _PORT.finditer(text) if str(DEFAULT_PORTS.get(found[2] or "")) != found[3]]


def _is_understood(command: str) -> bool:
    """Whether our command line accepts it, or prints its help."""
    program, *arguments = shlex.split(command.replace("NAME", "product_view").replace("--id N", "--id 7"))[2:]
    try:
        read_command(arguments) if program == "projector" else command_parser().parse_args(arguments)
    except SystemExit as ended:
        return ended.code == 0
    return True


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READ_MODEL_DSN", "EVENT_STORE_READ_DSN"):
        monkeypatch.setenv(name, "postgresql://nobody@127.0.0.1/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1/0")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")


def test_every_alert_leads_to_a_page_and_every_page_belongs_to_an_alert() -> None:
    wanted = {page for alert in alerts() for page in pages_of(alert)}
    assert wanted == set(pages())


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (RUNBOOKS / "README.md").read_text()))
    assert linked == {page.name for page in pages()}


def test_a_page_says_how_to_confirm_what_to_do_and_when_it_is_over() -> None:
    for page in pages():
        text = page.read_text()
        assert text.startswith(f"# {page.stem}\n"), page.stem
        assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == _SECTIONS, page.stem


def test_the_commands_of_the_pages_exist() -> None:
    named = {(page.stem, command) for page in pages() for command in commands(page)}
    assert len(named) > 30
    assert [where for where in sorted(named) if not _is_understood(where[1])] == []


def test_a_port_on_a_page_is_the_one_that_the_shell_has() -> None:
    assert {name: wrong for name, text in _texts().items() if (wrong := _wrong_ports(text))} == {}
    assert sum(len(_PORT.findall(text)) for text in _texts().values()) > 5


@pytest.mark.parametrize(
    "port", [":9103/livez", ":${RELAY_PORT:-9103}", ":${RELAY_OPS_PORT:-9102}", " -p 15432"]
)
def test_a_port_that_the_shell_does_not_have_is_noticed(port: str) -> None:
    assert _wrong_ports(f"curl http://127.0.0.1{port} ") != []


def test_no_page_waits_for_ever_for_a_process_that_hangs() -> None:
    asks = [(name, ask) for name, text in _texts().items() for ask in re.findall(r"curl -.*", text)]
    assert len(asks) > 3
    assert [ask for ask in asks if not re.match(r"curl -s?i?m 5 ", ask[1]) and ask[1] != "curl -m 5`"] == []


def test_the_pages_name_each_sql_file_and_no_other() -> None:
    named = {file for text in _texts().values() for file in re.findall(r"docs/runbooks/(\w+\.sql)", text)}
    assert named == {file.name for file in RUNBOOKS.glob("*.sql")}


@pytest.mark.parametrize(
    "command",
    ["python -m projector mend", "python -m projector resume NAME --at-once", "python -m command_api x"],
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    assert not _is_understood(command)
