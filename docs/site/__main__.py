"""`python -m docs.site`: the site, in `site/`."""

import sys

from docs.site.build import SITE, SiteNotBuilt, build_site
from shared.ops.program import end_with


def main() -> int:
    """0 built, 1 not built."""
    try:
        build_site()
    except SiteNotBuilt as error:
        sys.stderr.write(f"docs.site: {error}\n")
        return 1
    sys.stdout.write(f"{SITE}/index.html: open it in a browser; no server is needed\n")
    return 0


if __name__ == "__main__":
    end_with(main)
