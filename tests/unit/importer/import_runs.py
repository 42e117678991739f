"""The import command in this process, and the summary that it prints."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from command_api.importer.cli import add_import_arguments, run_import

DATA = Path(__file__).parents[2] / "data"


def imported(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_import_arguments(parser)
    return run_import(parser.parse_args([str(argument) for argument in arguments]))


def summary_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary
