"""The bar that long work shows on a terminal: how much is done, how fast, and how long it will still take."""

import sys
from typing import NoReturn

from tqdm import tqdm


def progress_bar(what: str, total: int | None, unit: str) -> "tqdm[NoReturn]":
    """A bar on standard error; none where that is no terminal (disable=None)."""
    return tqdm(desc=what, total=total, unit=unit, unit_scale=True, disable=None, file=sys.stderr)
