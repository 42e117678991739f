"""`python -m deploy.grafana`: writes dashboards/*.json from the boards, and removes those that are gone."""

import sys

from deploy.grafana.boards import DASHBOARDS, files


def main() -> int:
    """Writes what differs; says what it wrote."""
    wanted = files()
    for stale in set(DASHBOARDS.glob("*.json")) - wanted.keys():
        stale.unlink()
        sys.stdout.write(f"removed {stale.name}\n")
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
