"""Settings of TLS and log-ins: what cannot work, or would have no effect, ends the start and is named."""

import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from projector.settings import ProjectorSettings
from shared.ops.settings import load_settings
from shared.ops.tls import ClientTls, TlsFiles
from tests.secured.certificates import Certificates


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no certificate")
    return Certificates(tmp_path)


SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USER": "ann", "KAFKA_SASL_PASSWORD": "hunter2"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"REDIS_CA_FILE": "none.pem"}, "REDIS_CA_FILE: the file none.pem cannot be read"),
        ({"SMTP_CA_FILE": "text"}, "text: not the PEM files"),
        ({"REDIS_KEY_FILE": "ca.pem"}, "a key file without a certificate file"),
        ({"REDIS_CERTIFICATE_FILE": "ca.pem"}, "ca.pem: not the PEM files of a certificate and its key"),
        ({"KAFKA_CA_FILE": "ca.pem"}, "KAFKA_CA_FILE and the like need KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_SASL_USER": "ann"}, "KAFKA_SASL_USER and KAFKA_SASL_PASSWORD need KAFKA_SECURITY_PROTOCOL"),
        ({**SASL, "KAFKA_SECURITY_PROTOCOL": "SSL"}, "need KAFKA_SECURITY_PROTOCOL=SASL_SSL"),
        ({**SASL, "KAFKA_SASL_PASSWORD": ""}, "needs KAFKA_SASL_USER and KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL: Input should be"),
        ({**SASL, "KAFKA_SASL_MECHANISM": "PLAIN"}, "KAFKA_SASL_MECHANISM: Input should be"),
        ({"REDIS_URL": "rediss://h/0?ssl_cert_reqs=none"}, "the server is always verified"),
    ],
)
@pytest.mark.usefixtures("files")
def test_a_mistake_ends_the_start_and_is_named(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load_settings(ProjectorSettings)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert "hunter2" not in said


@pytest.mark.usefixtures("files")
def test_what_fits_together_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SASL, "KAFKA_CA_FILE": "ca.pem", "REDIS_CA_FILE": ""}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(ProjectorSettings)
    assert settings.kafka_servers.tls == TlsFiles(Path("ca.pem"))
    assert settings.redis_address.tls == TlsFiles()


def test_every_context_verifies_the_server_and_its_name_with_tls_1_2_at_least(files: Certificates) -> None:
    for given in (TlsFiles(), TlsFiles(files.ca), TlsFiles(files.ca, files.client("ann"))):
        context = ClientTls(given).context()
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_context_is_made_again_when_a_file_changes_and_kept_while_it_cannot_be_used(
    files: Certificates, tmp_path: Path
) -> None:
    ca = tmp_path / "changing.pem"
    ca.write_bytes(files.ca.read_bytes())
    tls = ClientTls(TlsFiles(ca))
    first = tls.context()
    assert tls.context() is first
    new = tmp_path / "new.pem"
    new.write_bytes(files.other_ca.read_bytes())
    new.replace(ca)
    second = tls.context()
    assert second is not first
    ca.write_text("half written")
    assert tls.context() is second
    ca.unlink()
    assert tls.context() is second
    with pytest.raises(OSError, match=r"changing\.pem"):
        ClientTls(TlsFiles(ca)).context()


def test_files_that_cannot_be_used_are_logged_once_until_they_could_be_used_again(
    files: Certificates, tmp_path: Path
) -> None:
    ca = tmp_path / "changing.pem"
    ca.write_bytes(files.ca.read_bytes())
    tls = ClientTls(TlsFiles(ca))
    tls.context()
    with capture_logs() as lines:
        for content in (
            b"half",
            b"half written",
            files.other_ca.read_bytes(),
            b"half",
            files.ca.read_bytes(),
        ):
            ca.write_bytes(content)
            tls.context()
            tls.context()
    assert [line["event"] for line in lines] == ["TLS keeps its last certificates"] * 2
    assert lines[0]["files"] == [str(ca)]
