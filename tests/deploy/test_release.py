"""`make release`: every refusal, the cut itself, its notes, and the check of its tag."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.release.__main__ import ROOT, main
from deploy.release.pages import CHANGELOG, UPGRADING, notes, releases, says_something, sections
from deploy.release.refusals import LAST_RELEASE, MIGRATIONS
from deploy.release.version import Version, of_project

_FILES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["bumpversion"]["files"]
_CONFIGURED = sorted({"pyproject.toml", *(file["filename"] for file in _FILES)})
NOW = of_project(ROOT)
NEXT = NOW.next("minor")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files that a release changes, something unreleased in it, on main."""
    root = tmp_path / "clone"
    for name in _CONFIGURED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name, text in (
        (CHANGELOG, "- A new thing ([how](docs/asyncapi.yaml#new))."),
        (UPGRADING, "- [Do](privileges.txt) it."),
    ):
        page = root / name
        page.write_text(re.sub(r"(## Unreleased\n(?:\nFrom .+\n)?)", rf"\1\n{text}\n", page.read_text()))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    _git(tmp_path, "init", "--quiet", "--initial-branch=main", str(root))
    _git(root, "config", "user.name", "Somebody")
    _git(root, "config", "user.email", "somebody@example.test")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", "Something unreleased")
    return root


@pytest.fixture(scope="module")
def once_cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut once: a cut starts a program."""
    return Path(tmp_path_factory.mktemp("cut")) / "clone"


@pytest.fixture
def cut(clone: Path, once_cut: Path, tmp_path: Path) -> Path:
    """A clone in which the next minor release was cut."""
    if not once_cut.exists():
        assert main(["cut", "minor"], clone) == 0
        shutil.copytree(clone, once_cut)
    return Path(shutil.copytree(once_cut, tmp_path / "cut"))


def _nothing_was_cut(root: Path) -> None:
    assert _git(root, "rev-list", "--count", "HEAD") == "1"
    assert _git(root, "tag", "--list") == ""
    assert of_project(root) == NOW


def test_a_release_has_its_version_everywhere_its_sections_and_a_tag(clone: Path) -> None:
    before = _git(clone, "rev-parse", "HEAD")
    assert main(["cut", "minor"], clone) == 0
    assert _git(clone, "status", "--porcelain") == ""
    assert of_project(clone) == NEXT
    assert sorted(_git(clone, "show", "--name-only", "--format=", "HEAD").splitlines()) == _CONFIGURED
    assert _git(clone, "log", "-1", "--format=%s") == f"Release {NEXT}"
    assert _git(clone, "cat-file", "-t", f"v{NEXT}") == "tag"
    for page in (CHANGELOG, UPGRADING):
        assert not says_something(sections(clone / page)["Unreleased"])
        assert says_something(sections(clone / page)[str(NEXT)])
    assert re.search(rf"^## {NEXT} - \d{{4}}-\d\d-\d\d$", (clone / CHANGELOG).read_text(), re.MULTILINE)
    assert f"## Unreleased\n\nFrom {NEXT}.\n" in (clone / UPGRADING).read_text()
    last_release = (clone / "tests/last_release/release.py").read_text()
    assert f'\nRELEASE = "{NEXT}"\nCOMMIT = "{before}"\n' in last_release
    assert last_release.count("\n") == (ROOT / "tests/last_release/release.py").read_text().count("\n")


def test_a_tag_that_was_cut_here_is_verified_and_its_notes_lead_to_its_files(
    cut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", f"v{NEXT}"], cut) == 0
    capsys.readouterr()
    assert main(["notes", str(NEXT), "--files-at", "https://files.test/v1"], cut) == 0
    shown = capsys.readouterr().out
    assert "- A new thing ([how](https://files.test/v1/docs/asyncapi.yaml#new))." in shown
    assert "- [Do](https://files.test/v1/docs/privileges.txt) it." in shown
    assert f"](https://files.test/v1/{CHANGELOG})" not in shown
    assert main(["notes", "9.9.9"], cut) == 2


def test_the_next_release_is_refused_until_something_new_is_written_down(cut: Path) -> None:
    assert main(["cut", "patch"], cut) == 1


def test_a_hotfix_is_cut_on_the_branch_of_its_release(clone: Path) -> None:
    _git(clone, "checkout", "--quiet", "-b", f"release/{NOW.major}.{NOW.minor}")
    assert main(["cut", "minor"], clone) == 1
    _nothing_was_cut(clone)
    assert main(["cut", "patch"], clone) == 0
    assert main(["verify", f"v{NOW.next('patch')}"], clone) == 0


def test_a_hotfix_with_a_migration_is_refused(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last_release = clone / LAST_RELEASE
    released = _git(clone, "rev-parse", "HEAD")
    last_release.write_text(
        re.sub(r'^COMMIT = ".+"$', f'COMMIT = "{released}"', last_release.read_text(), flags=re.M)
    )
    _git(clone, "commit", "--quiet", "--all", "--message", "The last release")
    _git(clone, "checkout", "--quiet", "-b", f"release/{NOW.major}.{NOW.minor}")
    migration = clone / MIGRATIONS[0] / "0099_before_deploy_more.sql"
    migration.parent.mkdir(parents=True)
    migration.write_text("SELECT 1;")
    _git(clone, "add", ".")
    _git(clone, "commit", "--quiet", "--message", "A migration")
    assert main(["cut", "patch"], clone) == 1
    assert "a hotfix has no migration" in capsys.readouterr().err
    _git(clone, "checkout", "--quiet", "main")
    _git(clone, "merge", "--quiet", "-")
    assert main(["cut", "patch"], clone) == 0


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen makes the key to sign with")
def test_a_tag_is_signed_where_git_is_told_to_sign(clone: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", f"{key}.pub"), ("tag.gpgSign", "true")):
        _git(clone, "config", name, value)
    assert main(["cut", "minor"], clone) == 0
    assert "-----BEGIN SSH SIGNATURE-----" in _git(clone, "cat-file", "tag", f"v{NEXT}")


def test_a_dry_run_shows_everything_and_changes_nothing(
    clone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["cut", "minor", "--dry-run"], clone) == 0
    _nothing_was_cut(clone)
    assert _git(clone, "status", "--porcelain") == ""
    shown = capfd.readouterr()
    assert "- A new thing" in shown.out
    assert f"Would add tag 'v{NEXT}'" in shown.out + shown.err


def _change(root: Path) -> None:
    (root / CHANGELOG).write_text("changed")


def _add(root: Path) -> None:
    (root / "new").write_text("new")


def _branch(root: Path) -> None:
    _git(root, "checkout", "--quiet", "-b", "an-idea")


def _detach(root: Path) -> None:
    _git(root, "checkout", "--quiet", "--detach")


def _tag(root: Path) -> None:
    _git(root, "tag", f"v{NEXT}")


def _rewritten(page: str, new: str) -> Callable[[Path], None]:
    def rewrite(root: Path) -> None:
        text = (root / page).read_text()
        (root / page).write_text(re.sub(r"## Unreleased\n.*?(?=\n## )", new, text, flags=re.DOTALL))
        _git(root, "commit", "--quiet", "--all", "--amend", "--no-edit")

    return rewrite


def _leave(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "version", "reason"),
    [
        (_change, "minor", "the working tree has changes"),
        (_add, "minor", "the working tree has changes"),
        (
            _branch,
            "minor",
            f"{NEXT} is cut on main, or for a hotfix on release/{NEXT.major}.{NEXT.minor}; this is an-idea",
        ),
        (_detach, "minor", "this is no branch"),
        (_leave, str(NOW), "the version must rise"),
        (_leave, "0.0.9", "the version must rise"),
        (_tag, "minor", f"the tag v{NEXT} exists"),
        (_rewritten(CHANGELOG, "## Unreleased\n"), "minor", f"{CHANGELOG} does not say"),
        (
            _rewritten(CHANGELOG, "## Unreleased\n\n### Added\n\n### Fixed\n"),
            "minor",
            f"{CHANGELOG} does not say",
        ),
        (_rewritten(CHANGELOG, "## Soon\n\n- A thing.\n"), "minor", f"{CHANGELOG} does not say"),
        (_rewritten(UPGRADING, f"## Unreleased\n\nFrom {NOW}.\n"), "minor", f"{UPGRADING} does not say"),
    ],
)
def test_a_release_is_refused_with_its_reason(
    clone: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], version: str, reason: str
) -> None:
    spoil(clone)
    assert main(["cut", version], clone) == 1
    assert reason in capsys.readouterr().err
    if spoil is not _tag:
        _nothing_was_cut(clone)


@pytest.mark.parametrize("version", ["large", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3"])
def test_what_is_no_version_is_wrong_usage(clone: Path, version: str) -> None:
    assert main(["cut", version], clone) == 2
    _nothing_was_cut(clone)


def _lightweight(root: Path) -> str:
    _git(root, "tag", "--delete", f"v{NEXT}")
    _git(root, "tag", f"v{NEXT}")
    return f"v{NEXT}"


def _one_commit_later(root: Path) -> str:
    _git(root, "commit", "--quiet", "--allow-empty", "--message", "Later")
    return f"v{NEXT}"


def _beside_main(root: Path) -> str:
    _git(root, "branch", "--quiet", "--move", "main", "elsewhere")
    return f"v{NEXT}"


def _of_another_version(root: Path) -> str:
    _git(root, "tag", "--annotate", "--message", "Another", "v9.9.9")
    return "v9.9.9"


def _of_no_version(_: Path) -> str:
    return "newest"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_lightweight, "is no annotated tag"),
        (_one_commit_later, "is not the commit that is checked out"),
        (_beside_main, "is on none of"),
        (_of_another_version, f"pyproject.toml has {NEXT}"),
        (_of_another_version, f"{CHANGELOG} has no section for 9.9.9"),
        (_of_another_version, f"{UPGRADING} has no section for 9.9.9"),
        (_of_no_version, "is no version like 1.2.3"),
    ],
)
def test_a_tag_that_was_not_cut_here_is_refused(
    cut: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], str], reason: str
) -> None:
    tag = spoil(cut)
    assert main(["verify", tag], cut) == 1
    assert reason in capsys.readouterr().err


def test_versions_compare_as_numbers() -> None:
    assert Version.parse("0.10.0") > Version.parse("0.9.9")
    assert [str(Version(1, 2, 3).next(level)) for level in ("patch", "minor", "major")] == [
        "1.2.4",
        "1.3.0",
        "2.0.0",
    ]


def test_every_release_in_the_changelog_has_its_upgrade_notes() -> None:
    changelog, upgrading = releases(ROOT / CHANGELOG), releases(ROOT / UPGRADING)
    assert changelog == upgrading
    assert changelog[0] == str(NOW)
    assert all(says_something(text) for text in (notes(ROOT, version, ".") for version in changelog))
    assert all(says_something(sections(ROOT / UPGRADING)[version]) for version in upgrading)


def test_a_release_without_upgrade_notes_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_text(
        "# Upgrading\n\n## Unreleased\n\nFrom 0.2.0.\n\n## 0.2.0\n\nFrom 0.1.0. Nothing to do.\n\n## 0.1.0\n"
    )
    assert releases(page) == ["0.2.0", "0.1.0"]
    assert [says_something(text) for text in sections(page).values()] == [False, True, False]


def test_every_file_that_names_the_version_is_one_that_a_release_changes() -> None:
    # Pages of text and tests may speak of any release; other packages may have the same version by chance.
    elsewhere = {"uv.lock", "docs/site/package-lock.json"}
    listed = _git(
        ROOT, "grep", "--files-with-matches", "--perl-regexp", rf"(?<![\w.])v?{re.escape(str(NOW))}(?![\w.])"
    )
    named = {
        file for file in listed.splitlines() if not file.startswith("tests/") and not file.endswith(".md")
    }
    assert named - elsewhere <= set(_CONFIGURED)
    assert {"pyproject.toml", "docs/asyncapi.yaml"} <= named
