"""`python -m query_api`: the command line of the query API.

What takes time to import is imported by `main`, so that Ctrl-C meanwhile prints no traceback.
"""

import argparse
import sys

from shared.ops.program import end_with


def main() -> int:
    """Run one sub-command and return its exit code: 0 clean stop, 1 failed, 2 wrong usage or settings."""
    from query_api.export.cli import add_export_arguments, run_export

    parser = argparse.ArgumentParser(
        prog="python -m query_api", description="The query API: serves reads of the catalogue."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the read API until SIGTERM or Ctrl-C")
    add_export_arguments(commands.add_parser("export", help="save the whole catalogue to a file"))
    given = parser.parse_args()
    return run_export(given) if given.command == "export" else _serve()


def _serve() -> int:
    from query_api.app import serve
    from query_api.assembly import PROCESS
    from query_api.search.synonyms import MalformedSynonyms, synonyms_of
    from query_api.settings import QuerySettings
    from shared.access.settings import load_listening_settings
    from shared.ops.logs import configure_logs
    from shared.ops.process import run
    from shared.ops.settings import EXIT_USAGE
    from shared.ops.unverified_servers import warn_of_unverified_servers

    settings = load_listening_settings(QuerySettings)
    try:
        synonyms_of(settings.search_synonyms_file)
    except MalformedSynonyms as error:
        print(f"SEARCH_SYNONYMS_FILE: {error}", file=sys.stderr)
        return EXIT_USAGE
    configure_logs(PROCESS, settings)
    warn_of_unverified_servers(settings)

    return run(
        PROCESS, lambda stop: serve(settings, stop), shutdown_seconds_max=settings.shutdown_seconds_max
    )


if __name__ == "__main__":
    end_with(main)
