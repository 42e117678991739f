"""The consistency tokens that pages show are those of the versions that they show."""

import base64
import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = re.compile(r'^etag: "(\d+)"\nconsistency-token: (\S+)$', re.MULTILINE)


def decoded(token: str) -> dict[str, object]:
    content: dict[str, object] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return content


def test_a_token_has_the_version_of_the_etag_above_it() -> None:
    shown = [found for page in sorted(DOCS.glob("*.md")) for found in SHOWN.findall(page.read_text())]
    assert shown
    assert [(version, decoded(token)["v"]) for version, token in shown] == [
        (version, int(version)) for version, _ in shown
    ]
