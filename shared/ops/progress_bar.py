"""The bar that long work shows on a terminal: how much is done, how fast, and how long it will still take."""

from typing import NoReturn, TextIO

from tqdm import tqdm


def progress_bar(what: str, total: int | None, unit: str, file: TextIO) -> "tqdm[NoReturn]":
    """A bar in that file; none where it is no terminal (disable=None)."""
    return tqdm(desc=what, total=total, unit=unit, unit_scale=True, disable=None, file=file)
