"""What stops a whole import; what is wrong with one product is a `Rejection`, never an exception.

ImportFailed            exit 1, the text is the line that the user reads
├── FileUnreadable      the file is not what it should be: encoding, columns, quotes
├── ApiUnreachable      no answer, or 503 and 429 until the retries were used up
└── ApiRefused          an answer about the whole request: 401, 404, 415 … or not our API at all
"""


class ImportFailed(Exception):
    """The import ends here; what was accepted before stays, and running it again is safe."""


class FileUnreadable(ImportFailed):
    """Nothing, or nothing more, can be read from the file."""


class ApiUnreachable(ImportFailed):
    """The API did not take the products, and it may later: the same command again finishes the work."""


class ApiRefused(ImportFailed):
    """The API answered, and trying again would get the same answer."""
