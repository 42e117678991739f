"""Which limits hold: none on loopback without access control, sane ones with it, or what is set."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from command_api.settings import CommandSettings
from query_api.settings import QuerySettings
from shared.ops.settings import load_settings
from shared.rate_limits.budget import Budget
from shared.rate_limits.limits import KindOfRequests

NOTHING = KindOfRequests(None, None)


@pytest.fixture
def with_access_control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = generate_private_key(SECP256R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    monkeypatch.setenv("AUTH_KEYS_FILE", str(tmp_path / "key.pem"))
    monkeypatch.setenv("AUTH_ISSUER", "https://issuer.example.com")


def test_without_access_control_nothing_is_limited_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = load_settings(QuerySettings), load_settings(CommandSettings)
    assert (reading.reads, writing.writes, writing.imports) == (NOTHING, NOTHING, NOTHING)
    assert reading.failed_authentications is None
    assert writing.in_progress_max(500) is None
    monkeypatch.setenv("READS_PER_SECOND_MAX", "0.4")
    monkeypatch.setenv("READS_PER_ADDRESS_PER_SECOND_MAX", "50")
    monkeypatch.setenv("REQUESTS_PER_CALLER_MAX", "7")
    reading = load_settings(QuerySettings)
    assert reading.reads == KindOfRequests(Budget("reads", 0.4, 1), Budget("reads-per-address", 50.0, 100))
    assert reading.in_progress_max(500) == 7


@pytest.mark.usefixtures("with_access_control")
def test_with_access_control_each_caller_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = load_settings(QuerySettings), load_settings(CommandSettings)
    assert reading.reads == KindOfRequests(Budget("reads", 1000.0, 2000), None)
    assert writing.writes == KindOfRequests(Budget("writes", 100.0, 200), None)
    assert writing.imports == KindOfRequests(Budget("imports", 10.0, 20), None)
    assert writing.failed_authentications == Budget("failed-authentications", 1.0, 20)
    assert writing.in_progress_max(500) == 500
    for name in ("WRITES_PER_SECOND_MAX", "FAILED_AUTHENTICATIONS_PER_SECOND_MAX", "REQUESTS_PER_CALLER_MAX"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("IMPORTS_PER_SECOND_MAX", "")
    monkeypatch.setenv("IMPORTS_BURST_MAX", "5")
    writing = load_settings(CommandSettings)
    assert (writing.writes, writing.failed_authentications) == (NOTHING, None)
    assert writing.in_progress_max(500) is None
    assert writing.imports == KindOfRequests(Budget("imports", 10.0, 5), None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("READS_PER_SECOND_MAX", "-1"),
        ("READS_PER_SECOND_MAX", "fast"),
        ("READS_BURST_MAX", "0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CLIENT_ADDRESS_HEADER", "x-real-ip"),
    ],
)
def test_a_wrong_limit_ends_the_start_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, wrong: str
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(SystemExit):
        load_settings(QuerySettings)
    assert capsys.readouterr().err.startswith(f"{name}: ")
