"""`python -m tests.cluster.images TAG`: makes the images of the trials, and brings them to the node.

It takes product-catalogue/{command-api,query-api,projector}:TAG from the container engine, makes a release
`TAG-next` of each that brings one more migration for each database, and imports all of them, and the
servers with the tag `local`, into the containerd of this machine, which is the cluster's one node.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from shared.contract import schemas
from shared.postgres.migrations import read_migrations
from tests.cluster.installation import IMAGES

SERVERS = ("postgres", "redis", "kafka")
PACKAGES = ("command_api.postgres", "projector.postgres")
NEW_TABLE = "trial_of_the_next_release"
# Long enough that pods of the new release start before their schema is there.
MIGRATION_SECONDS = 15
_SQL = f"SELECT pg_sleep({MIGRATION_SECONDS});\nCREATE TABLE {NEW_TABLE} (number integer PRIMARY KEY);\n"


def main() -> None:
    """Make, then import."""
    tag = sys.argv[1]
    ours = [f"product-catalogue/{image}:{tag}" for image in IMAGES]
    following = [f"product-catalogue/{image}:{tag}-next" for image in IMAGES]
    for present, new in zip(ours, following, strict=True):
        make_next(present, new)
    import_images([*ours, *following, *(f"product-catalogue/{server}:local" for server in SERVERS)])


def make_next(present: str, new: str) -> None:
    """The image with one more migration in each package that it holds, and in what its code needs."""
    lines = [f"FROM {present}"]
    needed = Path(schemas.__file__).read_text()
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            every = read_migrations(package)
            name = f"{len(every) + 1:04}_before_deploy_{NEW_TABLE}"
            last = [one.name for one in every if one.phase == "before"][-1]
            needed = needed.replace(f'"{last}",', f'"{last}",\n        "{name}",')
            if source := _source_in_image(present, package.split(".")[0]):
                (Path(folder) / f"{package}.sql").write_text(f"-- Of a trial.\n{_SQL}")
                to = Path(source).parent / package.split(".")[1] / "migrations" / f"{name}.sql"
                lines.append(f"COPY {package}.sql {to}")
        (Path(folder) / "schemas.py").write_text(needed)
        # Python would not look at the source again; an empty file makes it.
        (Path(folder) / "schemas.pyc").write_bytes(b"")
        lines.append(f"COPY schemas.py {_source_in_image(present, 'shared.contract.schemas')}")
        lines.append(f"COPY schemas.pyc {_source_in_image(present, 'shared.contract.schemas', 'cached')}")
        (Path(folder) / "Dockerfile").write_text("\n".join([*lines, ""]))
        subprocess.run(["docker", "build", "--quiet", "--tag", new, folder], check=True)


def _source_in_image(image: str, module: str, attribute: str = "origin") -> str:
    """The file of a module; empty if the image does not hold it."""
    find = (
        f"import importlib.util as u; spec = u.find_spec({module!r}); print(spec.{attribute} if spec else '')"
    )
    return subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python", image, "-c", find],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def import_images(images: list[str]) -> None:
    """Into the namespace of containerd that the kubelet uses."""
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
        subprocess.run(["ctr", "--namespace=k8s.io", "images", "import", "-"], stdin=saved.stdout, check=True)
    assert saved.returncode == 0


if __name__ == "__main__":
    main()
