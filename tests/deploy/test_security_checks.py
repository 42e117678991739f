"""`python -m deploy.security`, which `make check` runs: it finds what it is there for, and works offline."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.security import advisories, secret_scan

# Put together here, so that this file itself has no secret in it.
_CLOUD_KEY = "AKIA" + "IOSFODNN7EXAMPLF"
_PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"
_ADDRESS = "postgresql://somebody:" + "a-real-one@host/db"


def _repository(folder: Path, **files: str) -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    subprocess.run(["git", "-C", str(folder), "add", "."], check=True)
    return folder


def _unknown(folder: Path) -> list[secret_scan.Finding]:
    return secret_scan.unknown(folder, secret_scan.found(folder, sys.executable))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f'key = "{_CLOUD_KEY}"', "AWS Access Key"),
        (_PRIVATE_KEY, "Private Key"),
        (f'dsn = "{_ADDRESS}"', "Basic Auth Credentials"),
    ],
)
def test_a_secret_in_a_file_is_found_with_its_place_and_without_its_text(
    tmp_path: Path, text: str, kind: str
) -> None:
    (finding,) = _unknown(_repository(tmp_path, settings=f"\n{text}\n"))
    assert (finding.file, finding.line, finding.kind) == ("settings", 2, kind)
    assert text not in repr(finding)


def test_an_accepted_finding_may_move_and_another_secret_in_its_file_is_new(tmp_path: Path) -> None:
    repository = _repository(tmp_path, settings=f"{_PRIVATE_KEY}\n")
    scan = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan"], cwd=repository, check=True, capture_output=True
    )
    (repository / secret_scan.BASELINE).write_bytes(scan.stdout)
    subprocess.run(["git", "-C", str(repository), "add", "."], check=True)
    (repository / "settings").write_text(f"# moved\n\n{_PRIVATE_KEY}\n")
    assert _unknown(repository) == []
    (repository / "settings").write_text(f'{_PRIVATE_KEY}\nkey = "{_CLOUD_KEY}"\n')
    assert [one.kind for one in _unknown(repository)] == ["AWS Access Key"]


def test_the_development_passwords_are_no_finding_and_others_are(tmp_path: Path) -> None:
    role = "postgresql://catalogue_writer:catalogue_writer@127.0.0.1/event_store"
    repository = _repository(tmp_path, settings=f'one = "{role}"\ntwo = "{_ADDRESS}"\n')
    ours = json.loads((Path(__file__).parents[2] / secret_scan.BASELINE).read_text())
    (repository / secret_scan.BASELINE).write_text(json.dumps({**ours, "results": {}}))
    assert [one.line for one in _unknown(repository)] == [2]


def _package(name: str, *weaknesses: dict[str, object]) -> dict[str, object]:
    return {"name": name, "version": "1.0", "vulns": list(weaknesses)}


def test_a_known_weakness_is_reported_with_the_version_that_corrects_it() -> None:
    weakness = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}
    answer = {
        "dependencies": [_package("a", weakness), _package("b"), {"name": "c", "skip_reason": "not found"}]
    }
    assert advisories.read(answer) == advisories.Audit(2, 1, ("a 1.0: PYSEC-1, corrected in 1.1",))


def test_an_accepted_advisory_is_not_reported_under_any_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisories, "ACCEPTED", {"CVE-1": "not reachable"})
    weakness = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": []}
    assert advisories.read({"dependencies": [_package("a", weakness)]}).weaknesses == ()


def test_an_index_that_is_away_is_no_weakness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("httpx==0.28.1\n")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):  # would lead past it
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-cache"))
    assert advisories.audit(requirements, sys.executable) is None
