"""How many requests each caller of a port has in progress, whichever way they are answered."""

from collections import Counter


class CallersInProgress:
    """Callers without any use no memory."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()

    def begin(self, caller: str) -> None:
        """One more."""
        self._requests[caller] += 1

    def end(self, caller: str) -> None:
        """One less."""
        self._requests[caller] -= 1
        if not self._requests[caller]:
            del self._requests[caller]

    def of(self, caller: str) -> int:
        """How many there are."""
        return self._requests[caller]

    def total(self) -> int:
        """Of all callers."""
        return self._requests.total()
