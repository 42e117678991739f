"""How many requests each caller of a port has in progress, whichever way they are answered."""


class CallersInProgress:
    """Callers without any use no memory."""

    def __init__(self) -> None:
        self._requests: dict[str, int] = {}

    def begin(self, caller: str) -> None:
        """One more."""
        self._requests[caller] = self._requests.get(caller, 0) + 1

    def end(self, caller: str) -> None:
        """One less."""
        left = self._requests[caller] - 1
        if left:
            self._requests[caller] = left
        else:
            del self._requests[caller]

    def of(self, caller: str) -> int:
        """How many there are."""
        return self._requests.get(caller, 0)

    def total(self) -> int:
        """Of all callers."""
        return sum(self._requests.values())
