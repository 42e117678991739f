"""`python -m deploy.images`: the build arguments, the three images, their bills of materials."""

import argparse
import os
import sys
from pathlib import Path

from deploy.images import sbom
from deploy.images.build import ROOT, arguments, build, is_pinned
from shared.ops.program import end_with


def main() -> int:
    """Exit code 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    told = commands.add_parser("arguments", help="print the build arguments, NAME=VALUE in each line")
    built = commands.add_parser("build", help="build the three images with `docker build`")
    for one in (told, built):
        one.add_argument(
            "--release",
            action="store_true",
            help="refuse a base image without digest and a changed working tree",
        )
    boms = commands.add_parser("sbom", help="write a CycloneDX file for each image")
    boms.add_argument("--folder", type=Path, default=ROOT / "build/sbom")
    for one in (built, boms):
        one.add_argument(
            "--tag", default=os.environ.get("IMAGE_TAG") or "dev", help="of the images (default dev)"
        )
    chosen = parser.parse_args()
    if chosen.command == "sbom":
        for path in sbom.write(chosen.folder, chosen.tag):
            print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
        return 0
    found = arguments(os.environ)
    faults = _faults_of_a_release(found) if chosen.release else []
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    if chosen.command == "arguments":
        print("\n".join(f"{name}={value}" for name, value in found.items()))
    else:
        build(chosen.tag, found)
    return 0


def _faults_of_a_release(found: dict[str, str]) -> list[str]:
    faults = []
    if not is_pinned(found.get("PYTHON_IMAGE", "")):
        faults.append("PYTHON_IMAGE must name the base image with its digest: NAME:TAG@sha256:...")
    if found["SERVICE_REVISION"] == "unknown" or found["SERVICE_REVISION"].endswith("-dirty"):
        faults.append("a release is built from a commit: the working tree has changes, or is no repository")
    if "unknown" in (found["SOURCE_URL"], found["BUILD_TIME"]):
        faults.append("SOURCE_URL or BUILD_TIME is not known: set them")
    return faults


if __name__ == "__main__":
    end_with(main)
