"""Why a request is not let through.

AccessError
  InvalidToken      the token proves nothing: 401
  KeysUnavailable   no key can be had to check the token with: 503; the caller tries again
InvalidKeys         a document of keys is not usable; an operator has to correct it
"""


class AccessError(Exception):
    """A request whose caller is not known."""


class InvalidToken(AccessError):
    """`reason` is for the caller: it holds nothing of the token, and has ASCII letters only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysUnavailable(AccessError):
    """The issuer does not answer, and the keys from before are absent or too old."""


class InvalidKeys(Exception):
    """The text says what is wrong, for an operator."""
