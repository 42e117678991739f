"""`python -m docs.generate`: writes the files, and removes schemas and boards that are no longer known."""

import sys

from docs.generate.files import FOLDERS, files
from shared.ops.program import end_with


def main() -> int:
    """Write what differs; says what it wrote."""
    wanted = files()
    for folder in FOLDERS:
        folder.mkdir(exist_ok=True)
        for stale in set(folder.iterdir()) - wanted.keys():
            stale.unlink()
            sys.stdout.write(f"removed {stale.name}\n")
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    end_with(main)
