"""What can go wrong while starting; each message is one line that says what to do.

LocalStackError
 |- PortTaken         another program listens where ours should; names the setting
 |- AlreadyRunning    a second `make up` in the same directory
 |- ProgramMissing    a server's program is neither found nor obtainable
 `- StartFailed       a child ended or did not become ready; carries its last log lines
"""


class LocalStackError(Exception):
    """Anything this package refuses; shown to the user without a traceback."""


class PortTaken(LocalStackError):
    """A listener's port is in use by another program."""


class AlreadyRunning(LocalStackError):
    """Another supervisor holds this directory's lock."""


class ProgramMissing(LocalStackError):
    """No way to get a server's program worked on this machine."""


class StartFailed(LocalStackError):
    """A child process ended, or was not ready in time."""
