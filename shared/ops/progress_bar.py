"""A progress bar for long work on a terminal: how much is done, the speed, and the remaining time."""

from typing import NoReturn, TextIO

from tqdm import tqdm


def progress_bar(what: str, total: int | None, unit: str, file: TextIO) -> "tqdm[NoReturn]":
    """A bar in that file; no bar if it is not a terminal (disable=None)."""
    return tqdm(desc=what, total=total, unit=unit, unit_scale=True, disable=None, file=file)
