"""Errors of the local stack; each message is one line that says what to do.

LocalStackError
 |- PortTaken         another program uses one of our ports; the message names the setting
 |- AlreadyRunning    a second `make up` in the same directory
 |- ProgramMissing    a server's program is not installed and cannot be downloaded or built
 `- StartFailed       a child ended or did not become ready; carries its last log lines
"""


class LocalStackError(Exception):
    """An error of this package; shown to the user without a traceback."""


class PortTaken(LocalStackError):
    """A listener's port is in use by another program."""


class AlreadyRunning(LocalStackError):
    """Another supervisor holds this directory's lock."""


class ProgramMissing(LocalStackError):
    """A server's program could not be found, downloaded or built on this machine."""


class StartFailed(LocalStackError):
    """A child process ended, or was not ready in time."""
