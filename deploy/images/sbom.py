"""Bills of materials (CycloneDX): what the lock says is in an image, and what a scanner finds in it."""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.images.build import DOCKERFILES, ROOT

_UV = Path(sys.executable).parent / "uv"


def from_lock(image: str) -> str:
    """The packages that the lock has for this image, with the hashes that the build holds them against."""
    command = [
        str(_UV), "export", "--quiet", "--frozen", "--no-dev", "--extra", image, "--format", "cyclonedx1.5"
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def from_image(name: str, scanner: str) -> str:
    """What Syft finds in a built image: the packages of Python and of Debian."""
    command = [scanner, "scan", f"docker:{name}", "--output", "cyclonedx-json", "--quiet"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write(folder: Path, tag: str) -> list[Path]:
    """A file for each image from the lock, and one from the image where Syft and the image are there."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for image in DOCKERFILES:
        written.append(folder / f"{image}.lock.cdx.json")
        written[-1].write_text(from_lock(image))
        scanner, name = shutil.which("syft"), f"product-catalogue/{image}:{tag}"
        if scanner and _is_there(name):
            written.append(folder / f"{image}.image.cdx.json")
            written[-1].write_text(from_image(name, scanner))
    return written


def _is_there(name: str) -> bool:
    if shutil.which("docker") is None:
        return False
    return (
        subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0
    )
