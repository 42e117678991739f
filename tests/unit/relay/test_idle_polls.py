"""How often an idle relay polls: seldom only where hints are known to come."""

from command_api.relay.pace import IdlePolls, RelayTimes

TIMES = RelayTimes(poll_min=1.0, poll_max=4.0, hinted_poll_max=16.0)


class _Signal:
    """Notes the waits; `hints` says which of them a hint ends."""

    def __init__(self, *, is_connected: bool = True, hints: tuple[int, ...] = ()) -> None:
        self.is_connected = is_connected
        self.waits: list[float] = []
        self._hints = hints

    async def wait(self, seconds_max: float) -> bool:
        self.waits.append(seconds_max)
        return len(self.waits) in self._hints


async def test_while_hints_come_the_waits_double_up_to_the_longer_bound() -> None:
    signal = _Signal()
    polls = IdlePolls(TIMES, signal)
    for _ in range(7):
        await polls.wait()
    assert signal.waits == [1, 2, 4, 8, 16, 16, 16]


async def test_without_a_connection_the_log_is_polled_often() -> None:
    signal = _Signal(is_connected=False)
    polls = IdlePolls(TIMES, signal)
    for _ in range(5):
        await polls.wait()
    assert signal.waits == [1, 2, 4, 4, 4]


async def test_a_connection_that_is_lost_shortens_the_waits_again() -> None:
    signal = _Signal()
    polls = IdlePolls(TIMES, signal)
    for _ in range(5):
        await polls.wait()
    signal.is_connected = False
    await polls.wait()
    await polls.wait()
    assert signal.waits[-2:] == [16, 4]


async def test_after_events_without_a_hint_the_log_is_polled_often_until_one_comes() -> None:
    signal = _Signal(hints=(7,))
    polls = IdlePolls(TIMES, signal)
    await polls.wait()
    polls.found()
    for _ in range(9):
        await polls.wait()
    assert signal.waits == [1, 1, 2, 4, 4, 4, 4, 8, 16, 16]


async def test_events_that_a_hint_announced_keep_the_trust_in_hints() -> None:
    signal = _Signal(hints=(1,))
    polls = IdlePolls(TIMES, signal)
    await polls.wait()
    polls.found()
    polls.found()
    for _ in range(6):
        await polls.wait()
    assert signal.waits == [1, 1, 2, 4, 8, 16, 16]
