"""Errors that stop a whole import. An error in one product is a `Rejection`, never an exception.

ImportFailed            exit code 1; the user sees the text
├── FileUnreadable      wrong encoding, missing columns, broken quotes
├── ApiUnreachable      no answer, or 503 and 429 until the retries were used up
└── ApiRefused          an answer about the whole request (401, 404 …), no token to be had, or not our API
"""


class ImportFailed(Exception):
    """The import ends here. Products accepted before are kept, and a second run is safe."""


class FileUnreadable(ImportFailed):
    """The file cannot be read, or not further."""


class ApiUnreachable(ImportFailed):
    """The API did not accept the products now, but may later: the same command finishes the work."""


class ApiRefused(ImportFailed):
    """The API refused the request, and would refuse it again."""
