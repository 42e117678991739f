"""The parts of imports, wired."""

from query_api.cursors import Cursors
from query_api.http.application import AddRoutes
from query_api.imports.http.routes import import_routes
from query_api.imports.import_pages import ReadImports
from query_api.imports.ports import ImportPosition
from query_api.imports.postgres.import_runs import PostgresImports
from query_api.postgres.bounded_reads import BoundedReads


def import_parts(log_reads: BoundedReads, signing_key: bytes) -> AddRoutes:
    """The routes; they read behind the bulkhead of the past."""
    return import_routes(ReadImports(PostgresImports(log_reads), Cursors(signing_key, ImportPosition)))
