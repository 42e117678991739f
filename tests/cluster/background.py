"""Work beside a trial."""

import threading
from typing import Self


class Background:
    """A thread from `with` until its end. `work` looks at `stops`; what it raises is raised at the end."""

    def __init__(self, name: str) -> None:
        self.stops = threading.Event()
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=name)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when the work has ended. Raises AssertionError if it failed."""
        self.stops.set()
        self.thread.join()
        assert self._error is None, repr(self._error)

    def work(self) -> None:
        """Until `stops` is set."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # shown by the test's own thread
            self._error = error
