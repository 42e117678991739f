"""Chromium, a program of this machine; where it is not installed, tests are skipped (docs/testing.md)."""

import os
import shutil

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def chromium_program() -> str | None:
    """From CHROMIUM or PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)


needs_chromium = pytest.mark.skipif(
    chromium_program() is None, reason="Chromium is not installed; .ci/run gets it"
)
