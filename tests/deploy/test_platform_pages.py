"""What the pages tell a platform team about the delivery: nothing is left open, and nothing is left out."""

import re
from collections.abc import Iterator

from tests.deploy.components import COMPONENTS, FOLDER
from tests.deploy.documented_commands import ROOT

OPERATIONS = (ROOT / "docs/operations.md").read_text()
OF_COMPONENTS = (FOLDER / "README.md").read_text()
_STATE = re.compile(r"(present|refused)\b")


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """The cells of each row of all tables below the heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    part = page.partition(f"\n{heading}\n")[2]
    part = re.split(rf"^{level} ", part, maxsplit=1, flags=re.MULTILINE)[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3:
            yield cells


def open_states(page: str) -> list[str]:
    """What is asked for and neither there nor refused with a reason."""
    asked = [row for row in rows(page, "## What a platform team asks for") if row[1] != "state"]
    assert asked
    return [name for name, state, where in asked if not _STATE.match(state) or not where]


def untold(page: str) -> set[str]:
    """The components of which the page does not say what was run."""
    told = rows(page, "## What was run, and what was only checked on paper")
    return {*COMPONENTS} - {row[0].strip("`") for row in told if row[1] and row[2]}


def test_all_that_a_platform_team_asks_for_is_there_or_refused() -> None:
    assert open_states(OPERATIONS) == []
    assert open_states(
        OPERATIONS.replace("| restore drill | present; on paper", "| restore drill | not yet")
    ) == ["restore drill"]


def test_the_page_says_of_each_component_what_was_run() -> None:
    assert untold(OF_COMPONENTS) == set()
    assert untold(OF_COMPONENTS.replace("| `autoscaling-keda` | with", "| `keda` | with")) == {
        "autoscaling-keda"
    }


def test_the_check_of_a_published_image_asks_for_the_workflow_that_signs_it() -> None:
    page = (ROOT / "docs/images.md").read_text()
    (asked,) = re.findall(r"--certificate-identity-regexp '([^']+)'", page)
    accepted = re.compile(asked.replace("OWNER/REPOSITORY", "us/catalogue"))
    signer = "https://github.com/us/catalogue/.github/workflows/{}@refs/{}"
    assert (ROOT / ".github/workflows/release.yml").is_file()
    assert accepted.search(signer.format("release.yml", "tags/v0.1.0"))
    for workflow, ref in (
        ("ci.yml", "tags/v0.1.0"),
        ("release.yml", "heads/main"),
        ("release.yml", "tags/v1x"),
    ):
        assert not accepted.search(signer.format(workflow, ref))
    published = (ROOT / ".ci/publish-images").read_text()
    assert "--sbom=true --provenance=mode=max" in published
    assert "cosign sign" in published
