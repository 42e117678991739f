"""Interrupting a program at one point for certain: while it imports a module.

`PAUSE` is a sitecustomize.py. A program that finds it in its PYTHONPATH stops before it imports the module
PAUSED_IMPORT, says so on standard error, and goes on as soon as the file PAUSED_UNTIL exists.
"""

from pathlib import Path

SAID = "the import waits"
PAUSE = f"""
import os, sys, time

class Finder:
    def find_spec(name, path=None, target=None):
        if name == os.environ["PAUSED_IMPORT"] and os.environ.get("PAUSED_IN", "") in sys.orig_argv[-1]:
            sys.meta_path.remove(Finder)
            print("{SAID}", file=sys.stderr, flush=True)
            while not os.path.exists(os.environ["PAUSED_UNTIL"]):
                time.sleep(0.01)

sys.meta_path.insert(0, Finder)
"""


def paused_import(folder: Path, module: str, *, program: str = "") -> dict[str, str]:
    """The environment. `program`: only one whose last argument contains this text is stopped."""
    (folder / "sitecustomize.py").write_text(PAUSE)
    until = str(folder / "go-on")
    return {"PYTHONPATH": str(folder), "PAUSED_IMPORT": module, "PAUSED_UNTIL": until, "PAUSED_IN": program}


def go_on(folder: Path) -> None:
    (folder / "go-on").touch()
