"""Access control is off only on loopback; a wrong setting ends the start and is named."""

import socket
from pathlib import Path

import pytest

from shared.access.settings import AccessSettings, load_listening_settings
from shared.ops.development import is_loopback
from shared.ops.settings import load_settings
from tests.tokens import public_document, signing_key

ISSUER = "https://issuer.test"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LISTEN_HOST", *AccessSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)


def _refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str
) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as exit_info:
        load_listening_settings(AccessSettings)
    assert exit_info.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_access_control_may_be_off(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("LISTEN_HOST", host)
    assert not load_listening_settings(AccessSettings).has_access_control


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no-such-host.invalid"])
def test_elsewhere_a_process_does_not_start_without_an_issuer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    (line,) = _refused(monkeypatch, capsys, LISTEN_HOST=host)
    assert line.startswith("AUTH_ISSUER: ")
    assert "LISTEN_HOST" in line
    assert not load_settings(AccessSettings).has_access_control  # a migration listens nowhere
    monkeypatch.setenv("AUTH_ISSUER", ISSUER)
    assert load_listening_settings(AccessSettings).has_access_control


def test_a_host_name_counts_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"here": ["127.0.0.1", "::1"], "both": ["127.0.0.1", "192.0.2.1"], "mapped": ["::ffff:127.0.0.1"]}
    found |= {"zone": ["fe80::1%eth0"]}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *_, **__: [(0, 0, 0, "", (each, 0)) for each in found[host]]
    )
    assert {host: is_loopback(host) for host in found} == {
        "here": True,
        "both": False,
        "mapped": True,
        "zone": False,
    }


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"AUTH_JWKS_URL": "https://issuer.test/keys"}, "AUTH_ISSUER: "),
        ({"AUTH_JWKS_URL": "http://issuer.test/keys", "AUTH_ISSUER": ISSUER}, "AUTH_JWKS_URL: "),
        ({"AUTH_ISSUER": "http://issuer.test"}, "AUTH_ISSUER: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_KEYS_FILE": "no-such-file"}, "AUTH_KEYS_FILE: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_KEYS_FILE": "private.pem"}, "AUTH_KEYS_FILE: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_PUBLIC_KEYS": "{}"}, "AUTH_PUBLIC_KEYS: "),
        ({"AUTH_PUBLIC_KEYS": public_document("first").decode()}, "AUTH_ISSUER: "),
        (
            {
                "AUTH_ISSUER": ISSUER,
                "AUTH_PUBLIC_KEYS": public_document("first").decode(),
                "AUTH_JWKS_URL": "https://issuer.test/keys",
            },
            "AUTH_ISSUER: ",
        ),
        ({"AUTH_ISSUER": ISSUER, "AUTH_ALGORITHMS": "RS256,HS256"}, "AUTH_ALGORITHMS: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_ALGORITHMS": "none"}, "AUTH_ALGORITHMS: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_ALGORITHMS": " , "}, "AUTH_ALGORITHMS: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": ""}, "AUTH_AUDIENCE: "),
        ({"AUTH_ISSUER": ISSUER, "AUTH_LEEWAY_SECONDS": "301"}, "AUTH_LEEWAY_SECONDS: "),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    variables: dict[str, str],
    named: str,
) -> None:
    (tmp_path / "private.pem").write_bytes(signing_key("first").as_pem(private=True))
    (line,) = _refused(monkeypatch, capsys, **variables)
    assert line.startswith(named)


def test_with_a_file_of_keys_the_issuer_is_only_a_name(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(public_document("first"))
    settings = AccessSettings(auth_issuer="our own", auth_keys_file=file, listen_host="0.0.0.0")
    assert settings.has_access_control
    assert settings.token_rules.issuer == "our own"


def test_the_algorithms_are_a_list_with_commas() -> None:
    rules = AccessSettings(auth_algorithms="RS256, ES256,").token_rules
    assert rules.algorithms == ("RS256", "ES256")
