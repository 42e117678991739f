"""Where the program Prometheus is: PyPI does not have it, Debian does (package `prometheus`)."""

import os
import shutil


def find_prometheus() -> str | None:
    """The program that the variable PROMETHEUS names, or the one on PATH; None if there is neither."""
    return shutil.which(os.environ.get("PROMETHEUS") or "prometheus")
