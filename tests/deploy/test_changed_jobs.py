"""A job cannot be changed: README.md names those that must go before their release is applied otherwise."""

import re
from pathlib import Path

import pytest

from tests.deploy.copies import RELEASE, Changes, changed, copied
from tests.deploy.kustomization import KUSTOMIZE
from tests.deploy.processes import FINISHING, JOBS

LOCAL = "overlays/local/kustomization.yaml"
EVERY_JOB = {*JOBS, *FINISHING}


def documented() -> dict[str, set[str]]:
    """Database -> the jobs, without their release, that the command for it deletes."""
    text = (KUSTOMIZE / "README.md").read_text()
    commands = re.findall(
        r"kubectl --namespace product-catalogue delete job --ignore-not-found ([^`\n]+)", text
    )
    by_database = {}
    for command in commands:
        jobs = {word.partition(".")[0] for word in command.split()}
        (database,) = {job.partition("-")[2] for job in jobs}
        by_database[database] = jobs
    return by_database


def jobs_that_change(place: Path, changes: Changes) -> set[str]:
    """Of the overlay for one machine, which makes its Secrets itself."""
    new = copied(place / "changed", changes)
    return {name for kind, name in changed(KUSTOMIZE, new, "local") if kind == "Job"}


@pytest.mark.parametrize("database", ["event-store", "read-model"])
def test_another_password_of_an_owner_changes_the_jobs_that_the_page_deletes(
    tmp_path: Path, database: str
) -> None:
    role = "postgresql://catalogue_migrate:"
    end = f"@postgres:5432/{database.replace('-', '_')}"
    changes = {LOCAL: {f"{role}catalogue_migrate{end}": f"{role}another{end}"}}
    assert jobs_that_change(tmp_path, changes) == documented()[database]


IMAGES = ("command-api", "projector")


@pytest.mark.parametrize(
    "changes",
    [
        {f"/{name},": f"/{name}, newName: registry.test/{name}," for name in IMAGES},
        {f"/{name}, newTag": f"/{name}, digest: sha256:{'0' * 64}, newTag" for name in IMAGES},
    ],
    ids=["registry", "digest"],
)
def test_another_image_changes_all_jobs_that_the_page_deletes(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    assert jobs_that_change(tmp_path, {RELEASE: changes}) == EVERY_JOB == set().union(*documented().values())
