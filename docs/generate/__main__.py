"""`python -m docs.generate`: writes the files, and removes schemas that the code no longer knows."""

import sys

from docs.generate.files import SCHEMAS, files


def main() -> int:
    """Write what differs; says what it wrote."""
    wanted = files()
    SCHEMAS.mkdir(exist_ok=True)
    for stale in set(SCHEMAS.iterdir()) - wanted.keys():
        stale.unlink()
        sys.stdout.write(f"removed {stale.name}\n")
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
