"""The Jobs that our pages tell an operator to make of a CronJob, typed without a cluster.

The first and the last command of such a line ask a cluster. Instead of the first, the Job is made here as
`kubectl create job --from` makes it; instead of the last, the Job that it would be given is returned.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.deploy.kustomization import Manifest, find
from tests.documents.console_blocks import REPOSITORY, commands, pages, shell_blocks

_LINE = re.compile(
    r"kubectl (?:--namespace \S+ )?create job (?P<job>\S+) --from=cronjob/(?P<cron_job>\S+) "
    r"--dry-run=client --output=json \|\s*(?P<patch>kubectl patch --local .*?) \|\s*"
    r"kubectl create --filename=-",
    re.DOTALL,
)


class Typed(NamedTuple):
    """One line of a page: the job, its CronJob, and the command that changes the one into the other."""

    page: Path
    job: str
    cron_job: str
    patch: str


def typed() -> Iterator[Typed]:
    """All of them. A line that begins like one, and is none, raises."""
    for page in pages():
        for block in (one for one in shell_blocks(page) if one.language == "console"):
            for command in commands(block):
                if "create job" in command.text and "--dry-run" in command.text:
                    found = _LINE.fullmatch(command.text)
                    assert found, command.text
                    yield Typed(page, **found.groupdict())


def made(one: Typed, objects: Sequence[Manifest]) -> Manifest:
    """The Job that kubectl would send to a cluster which has these objects."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    template = find(objects, "CronJob", one.cron_job)["spec"]["jobTemplate"]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": one.job, "annotations": {"cronjob.kubernetes.io/instantiate": "manual"}},
        "spec": template["spec"],
    }
    done = subprocess.run(
        ["bash", "-c", one.patch], input=json.dumps(job), cwd=REPOSITORY,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    patched: Manifest = json.loads(done.stdout)
    return patched
