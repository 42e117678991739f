"""`import FILE`: arguments, progress and exit codes; 0 all accepted, 3 some rejected, 1 failed, 2 usage.

`run_command` turns an interrupted one into 130 or 143.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from command_api.importer.client import BatchClient
from command_api.importer.delivery import LineOf, Reject
from command_api.importer.encodings import must_be_text, without_marks
from command_api.importer.errors import FileUnreadable, ImportFailed
from command_api.importer.ndjson import NdjsonFile
from command_api.importer.rejects import RejectFile
from command_api.importer.run import import_products
from command_api.importer.run_report import RunReport
from command_api.importer.shopify_file import ShopifyFile
from command_api.importer.source import Candidate, Rejection
from command_api.importer.summary import Summary
from shared.access.client import ClientSettings, add_token_argument, authentication
from shared.access.client_tokens import NoToken
from shared.contract.money import MoneyError, minor_units
from shared.ops.arguments import ApiAddress
from shared.ops.process import run_command
from shared.ops.process_names import IMPORT
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.progress_bar import progress_bar
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal, process_terminal

START_BYTES = 4096
COMMAND_API_URL = ApiAddress("COMMAND_URL", "COMMAND_PORT", 8000)
EXIT_ACCEPTED, EXIT_FAILED, EXIT_REJECTED = 0, 1, 3
EXIT_CODES = (
    f"Exit codes: 0 all accepted; 1 failed; 2 wrong usage; 3 some rejected; {CODES_OF_SIGNALS}: it is safe "
    "to run it again."
)


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `import`. For a wrong value argparse prints its usage message and exits with 2."""
    parser.epilog = f"{EXIT_CODES} Rejected products are in FILE.rejected.*."
    parser.add_argument("file", metavar="FILE", type=Path, help="an NDJSON file or a Shopify product CSV")
    parser.add_argument(
        "--format",
        choices=("auto", "shopify", "ndjson"),
        default="auto",
        help="format of FILE (default: auto, decided by its first character)",
    )
    parser.add_argument(
        "--currency",
        type=_currency,
        default="USD",
        help="ISO 4217 code of the prices in a CSV (default: USD)",
    )
    add_api_arguments(parser)


def add_api_arguments(parser: argparse.ArgumentParser) -> None:
    """The API's address and the format of the summary."""
    parser.add_argument(
        "--url",
        type=COMMAND_API_URL,
        default=COMMAND_API_URL.default(),
        help="address of the command API (default: %(default)s)",
    )
    add_token_argument(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run_import(args: argparse.Namespace) -> int:
    """Run the command in this process; returns its exit code."""
    return run_command(IMPORT, import_file(args, process_terminal()))


async def import_file(args: argparse.Namespace, terminal: Terminal) -> int:
    """Loads the file, prints the summary, returns the exit code."""
    summary, settings = Summary(), load_settings(ClientSettings)
    rejects: RejectFile | None = None
    run = RunReport(args.file)

    def reject(rejection: Rejection) -> None:
        assert rejects is not None
        rejects.add(rejection)
        run.add(rejection)

    async def tell(api: BatchClient) -> None:
        """Without a product there is nothing to tell."""
        if not (summary.accepted or summary.rejected):
            return
        why = await api.report(run.body(summary, api.event_count))
        if why is not None:
            terminal.complain(f"warning: the run is not in the list of imports: {why}")

    try:
        source = _open(args.file, args.format, args.currency)
        header = source.columns.header if isinstance(source, ShopifyFile) else None
        rejects = RejectFile(args.file, header)
        summary.unknown_columns = source.unknown_columns
        with progress_bar("importing", source.bytes_total, "B", terminal.errors) as bar:
            async with authentication(args.token, settings) as auth:
                await load(
                    source,
                    BatchClient(args.url, auth=auth),
                    summary,
                    reject,
                    lambda _: bar.update(source.bytes_read - bar.n),
                    source.line_of,
                    tell,
                )
    except (ImportFailed, NoToken, OSError, asyncio.CancelledError) as error:
        summary.error = message_of(error)
    finally:
        if rejects is not None:
            rejects.close()
            summary.rejected_file = str(rejects.path) if summary.rejected else None
    return report("import", summary, terminal, as_json=args.json)


async def load(
    source: Iterable[Candidate | Rejection],
    client: BatchClient,
    summary: Summary,
    reject: Reject,
    progress: Callable[[int], object],
    line_of: LineOf = lambda _: None,
    tell: "Callable[[BatchClient], Awaitable[None]] | None" = None,
) -> None:
    """One run against one API; see `import_products`. `tell` is called at its end, also if it fails."""
    async with client as api:
        try:
            await import_products(source, api, summary, reject, progress, line_of)
        except ImportFailed:
            if tell is not None:
                await tell(api)
            raise
        if tell is not None:
            await tell(api)


def report(command: str, summary: Summary, terminal: Terminal, *, as_json: bool) -> int:
    """Prints the summary on stdout and the error on stderr; returns the exit code."""
    if summary.error:
        terminal.complain(f"{command} failed: {summary.error}")
    if as_json:
        terminal.say(json.dumps(summary.as_json(), ensure_ascii=False, indent=2))
    elif summary.error is None or summary.accepted or summary.rejected:
        terminal.say(summary.as_text())
    if summary.error:
        return EXIT_FAILED
    return EXIT_REJECTED if summary.rejected else EXIT_ACCEPTED


def message_of(error: BaseException) -> str:
    """The reason in one line."""
    if isinstance(error, asyncio.CancelledError):
        return "interrupted; accepted products are kept, and it is safe to run it again"
    return str(error) or type(error).__name__


def _open(path: Path, wanted_format: str, currency: str) -> ShopifyFile | NdjsonFile:
    if not path.exists():
        raise FileUnreadable(f"{path} does not exist")
    if not path.is_file():
        raise FileUnreadable(f"{path} is not a regular file; an import may have to read the file twice")
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    must_be_text(start)
    start = without_marks(start).lstrip()
    if start.startswith(b"[") and wanted_format != "shopify":
        raise FileUnreadable("a JSON array; write one product per line, for example with `jq -c '.[]'`")
    if wanted_format == "ndjson" or (wanted_format == "auto" and start.startswith(b"{")):
        return NdjsonFile(path)
    return ShopifyFile(path, currency)


def _currency(text: str) -> str:
    code = text.upper()
    try:
        minor_units(code)
    except MoneyError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return code
