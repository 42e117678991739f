"""`export`: arguments, progress, the file, exit codes; 0 the whole catalogue, 1 failed, 2 usage.

`run_command` turns an interrupted one into 130 or 143. A file appears under its name when it is whole, and
never before: what reads it in the meantime reads the one of before.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from query_api.export.download import Download, ExportFailed, download
from query_api.export.formats import FORMATS, NDJSON
from shared.access.client import ClientSettings, add_token_argument, authentication
from shared.access.client_tokens import NoToken
from shared.ops.arguments import ApiAddress
from shared.ops.process import run_command
from shared.ops.process_names import EXPORT
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.progress_bar import progress_bar
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal, process_terminal

QUERY_API_URL = ApiAddress("QUERY_URL", "QUERY_PORT", 8001)
EXIT_WHOLE, EXIT_FAILED = 0, 1
# What a new file gets less the umask; temporary files are for their owner alone.
_FILE_MODE = 0o666


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    parser.epilog = (
        f"Exit codes: 0 the whole catalogue; 1 failed; 2 wrong usage; {CODES_OF_SIGNALS}. A FILE is replaced "
        "only by a whole one."
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default=NDJSON.name, help="default: %(default)s")
    parser.add_argument(
        "--status", default="active",
        help="of draft, active, archived, separated by commas (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--url", type=QUERY_API_URL, default=QUERY_API_URL.default(),
        help="address of the query API (default: %(default)s)",
    )  # fmt: skip
    add_token_argument(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run_export(args: argparse.Namespace) -> int:
    """Run the command in this process; returns its exit code."""
    return run_command(EXPORT, export(args, process_terminal()))


async def export(args: argparse.Namespace, terminal: Terminal) -> int:
    """Downloads the export, prints the summary, returns the exit code."""
    settings = load_settings(ClientSettings)
    parameters = {"format": args.format, "status": args.status}
    try:
        async with (
            authentication(args.token, settings) as auth,
            download(args.url, parameters, auth) as begun,
        ):
            with _opened(args.output, terminal) as file:
                size_bytes = await _save(begun, file, terminal, is_lines=args.format == NDJSON.name)
    except (ExportFailed, NoToken, OSError) as error:
        terminal.complain(f"export failed: {error}")
        return EXIT_FAILED
    _tell(args, terminal, begun, size_bytes)
    return EXIT_WHOLE


async def _save(begun: Download, file: BinaryIO, terminal: Terminal, *, is_lines: bool) -> int:
    """The size in bytes. A line of NDJSON is a product, so those are counted."""
    size_bytes = lines = 0
    total, unit = (begun.product_count, "products") if is_lines else (None, "B")
    with progress_bar("exporting", total, unit, terminal.errors) as bar:
        async for piece in begun.pieces():
            file.write(piece)
            size_bytes += len(piece)
            found = piece.count(b"\n")
            lines += found
            bar.update(found if is_lines else len(piece))
    if is_lines and lines != begun.product_count:
        raise ExportFailed(f"{lines:,} products came, and not {begun.product_count:,}: run it again")
    return size_bytes


@contextmanager
def _opened(path: Path | None, terminal: Terminal) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when the block ends well."""
    if path is None:
        yield terminal.output.buffer
        terminal.output.buffer.flush()
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, _FILE_MODE & ~umask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _tell(args: argparse.Namespace, terminal: Terminal, begun: Download, size_bytes: int) -> None:
    """On standard error, if the catalogue itself is on standard output."""
    say = terminal.complain if args.output is None else terminal.say
    if args.json:
        summary = {
            "products": begun.product_count,
            "bytes": size_bytes,
            "log_position": begun.log_position,
            "file": None if args.output is None else str(args.output),
        }
        say(json.dumps(summary, ensure_ascii=False, indent=2))
    else:
        say(
            f"exported: {begun.product_count:,} products, {size_bytes:,} bytes\n"
            f"follow the events after position {begun.log_position}"
        )
