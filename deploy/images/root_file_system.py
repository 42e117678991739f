"""Gathers the file system of the images out of the base image: an empty image has no shell and no compiler.

Run by the base image's own Python while an image is built, so it needs the standard library alone:
`python root_file_system.py ROOT VENV...`. Every file below ROOT is there because the interpreter of the
virtual environments needs it: its standard library, the shared libraries that it and the packages are
linked with, and the authorities that TLS trusts. Debian's packages among them are written down in
`var/lib/dpkg/status.d`, as Distroless does, so that scanners know them.
"""

import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

# Parts of the standard library that no process may need: they install packages, draw windows or test Python;
# some would bring a library of their own (SQLite, Berkeley DB, ncurses, readline).
_NOT_NEEDED = [
    "test", "_test*", "_ctypes_test*", "_xxtestfuzz*", "xxlimited*", "idlelib", "tkinter", "turtle*",
    "ensurepip", "venv", "lib2to3", "pydoc_data", "config-*", "__pycache__", "site-packages", "dist-packages",
    "EXTERNALLY-MANAGED", "curses", "_curses*", "readline*", "dbm", "_dbm*", "_gdbm*", "sqlite3", "_sqlite3*",
]  # fmt: skip
_SYSTEM_FILES = ("/etc/nsswitch.conf", "/etc/os-release", "/etc/ld.so.conf", "/etc/ssl/openssl.cnf")
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# Loaded by name when a thread ends, so no file says that it is linked with it.
_LOADED_BY_NAME = "libgcc_s.so.1"
_ELF = b"\x7fELF"


def gather(root: Path, environments: list[Path]) -> None:
    """Fills the empty folder `root`."""
    copied = [*_interpreter(root, environments[0]), *_standard_library(root)]
    programs = [path for folder in (root, *environments) for path in _programs(folder)]
    copied += [_copy(library, root) for library in sorted(_libraries(programs))]
    copied += [_copy(Path(name), root) for name in _SYSTEM_FILES]
    copied += [_copy(path, root) for path in sorted(Path("/etc/ld.so.conf.d").glob("*.conf"))]
    copied += [_copy(Path(_AUTHORITIES), root)]
    _trust(root)
    _describe(root, copied)
    for name in ("lib", "lib64"):
        if Path("/", name).is_symlink() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(f"usr/{name}")
    subprocess.run(["ldconfig", "-r", str(root)], check=True)
    shutil.rmtree(root / "var/cache", ignore_errors=True)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)


def _interpreter(root: Path, environment: Path) -> Iterator[Path]:
    """The program to which the environment's `python` leads, and each link on the way."""
    path = environment / "bin/python"
    while path.is_symlink():
        path = path.parent / path.readlink()
        if path.is_symlink():
            link = root / path.relative_to("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.readlink())
    yield _copy(path, root)


def _standard_library(root: Path) -> Iterator[Path]:
    folder = Path(sysconfig.get_path("stdlib"))
    target = root / folder.relative_to("/")
    # Debian links some files to /etc: copied as files.
    shutil.copytree(
        folder, target, ignore=shutil.ignore_patterns(*_NOT_NEEDED), ignore_dangling_symlinks=True
    )
    for path in target.rglob("*"):
        if path.is_file():
            yield Path("/") / path.relative_to(root)


def _programs(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == _ELF:
                    yield path


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """What the loader finds for them on this machine, and the loader itself."""
    known = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    lines = [line for line in known.splitlines() if line.split()[0] == _LOADED_BY_NAME]
    for program in programs:
        answer = subprocess.run(["ldd", str(program)], check=False, capture_output=True, text=True)
        if "not found" in answer.stdout:
            sys.exit(f"{program} needs a library that the base image does not have:\n{answer.stdout}")
        lines += answer.stdout.splitlines()
    paths = {Path(word) for line in lines for word in line.split() if word.startswith("/")}
    # The packages' own libraries lie beside them.
    return {path for path in paths if path.parts[1] in ("lib", "lib64", "usr")}


def _copy(path: Path, root: Path) -> Path:
    """Copies a file under its own name, in the folder where it really lies."""
    place = path.parent.resolve() / path.name
    target = root / place.relative_to("/")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return place


def _trust(root: Path) -> None:
    """OpenSSL's own folder leads to the authorities."""
    default = ssl.get_default_verify_paths()
    folder = root / Path(default.openssl_cafile).parent.relative_to("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (
        (Path(default.openssl_cafile).name, _AUTHORITIES),
        ("openssl.cnf", _SYSTEM_FILES[-1]),
    ):
        link = folder / name
        if link.resolve() != root / Path(target).relative_to("/") and not link.exists():
            link.symlink_to(target)


def _describe(root: Path, copied: list[Path]) -> None:
    """The state and the licence of each Debian package of which a file was copied."""
    # The package knows a file by the name from before /lib became a link to /usr/lib.
    names = {str(path) for path in copied}
    names |= {name.removeprefix("/usr") for name in names if name.startswith("/usr/lib")}
    names |= {str(Path(name).resolve()) for name in names if Path(name).exists()}
    answer = subprocess.run(
        ["dpkg-query", "--search", *sorted(names)], check=False, capture_output=True, text=True
    )
    owners = {
        line.rpartition(": ")[0] for line in answer.stdout.splitlines() if not line.startswith("diversion")
    }
    folder = root / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    for owner in sorted({name for line in owners for name in line.split(", ")}):
        state = subprocess.run(["dpkg-query", "--status", owner], check=True, capture_output=True, text=True)
        package = owner.partition(":")[0]
        (folder / package).write_text(state.stdout)
        licence = Path("/usr/share/doc") / package / "copyright"
        if licence.exists():
            _copy(licence, root)


if __name__ == "__main__":
    os.umask(0o022)
    gather(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
