"""The in-process cache by itself: which of two things that happen at the same time wins, and its bounds."""

from collections.abc import Callable

import pytest

from query_api.products.local_cache import OVERHEAD_BYTES, REFRESH_READS_MIN, LocalCache
from shared.contract.cached_document import pack

ALWAYS = 1e9
A, B = "a", "b"


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _cache(
    clock: _Clock | None = None, *, bytes_max: int = 10**6, entries_max: int = 100, seconds_max: float = 10.0
) -> LocalCache:
    local = LocalCache(
        bytes_max=bytes_max, entries_max=entries_max, seconds_max=seconds_max, now=clock or _Clock()
    )
    _open(local)
    return local


def _open(local: LocalCache, generation: int = 0) -> None:
    local.open(generation)
    local.trust_until(ALWAYS)


def _document(version: int, body: bytes = b"{}") -> bytes:
    return pack(version, body)


def _read(local: LocalCache, product_id: str, version: int, *, body: bytes = b"{}") -> None:
    """A read of Redis during which nothing else happens."""
    local.keep(local.begin([product_id]), [product_id], [_document(version, body)], 0)


def _version(local: LocalCache, product_id: str = A) -> int | None:
    entry = local.get(product_id)
    return None if entry is None else entry.document.stream_version


def test_what_was_read_is_kept_until_it_changes() -> None:
    local = _cache()
    _read(local, A, 1)
    assert (_version(local), _version(local, B)) == (1, None)
    local.invalidate(A)
    assert _version(local) is None


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(lambda local: local.invalidate(A), id="it changes"),
        pytest.param(lambda local: local.close("lost"), id="nothing is told any more"),
        pytest.param(
            lambda local: (local.close("lost"), _open(local)), id="told again over a new connection"
        ),
        pytest.param(lambda local: (local.close("generation"), _open(local, 1)), id="another generation"),
        pytest.param(lambda local: (local.close("emptied"), _open(local)), id="Redis is flushed"),
    ],
)
def test_what_happens_between_the_read_and_the_keeping_wins(event: Callable[[LocalCache], object]) -> None:
    local = _cache()
    load = local.begin([A])
    event(local)
    local.keep(load, [A], [_document(1)], 0)
    assert _version(local) is None


def test_a_read_that_began_before_changes_were_told_is_not_kept() -> None:
    local = LocalCache(bytes_max=10**6, entries_max=9, seconds_max=9, now=_Clock())
    load = local.begin([A])
    _open(local)
    local.keep(load, [A], [_document(1)], 0)
    assert _version(local) is None


def test_documents_of_another_generation_than_the_told_one_are_not_kept() -> None:
    local = _cache()
    local.keep(local.begin([A]), [A], [_document(1)], 1)
    assert _version(local) is None


def test_of_two_reads_at_once_the_first_is_kept_and_the_second_changes_nothing() -> None:
    local = _cache()
    first, second = local.begin([A]), local.begin([A])
    local.keep(first, [A], [_document(1)], 0)
    local.keep(second, [A], [_document(1)], 0)
    assert _version(local) == 1


def test_of_two_reads_at_once_the_second_has_seen_a_newer_document_than_is_kept() -> None:
    local = _cache()
    first, second = local.begin([A]), local.begin([A])
    local.keep(first, [A], [_document(1)], 0)
    local.keep(second, [A], [_document(2)], 0)
    assert _version(local) is None


def test_of_two_reads_at_once_the_second_ends_first_with_a_newer_document() -> None:
    local = _cache()
    first, second = local.begin([A]), local.begin([A])
    local.keep(second, [A], [_document(2)], 0)
    local.keep(first, [A], [_document(1)], 0)
    assert _version(local) is None


def test_a_read_that_fails_gives_its_ticket_back() -> None:
    local = _cache()
    other = local.begin([B])
    failed = local.begin([A, B])
    local.abandon(failed, [A, B])
    _read(local, A, 1)
    local.keep(other, [B], [_document(1)], 0)
    assert (_version(local), _version(local, B)) == (1, 1)


@pytest.mark.parametrize("lost", [None, b"rubbish"])
def test_what_redis_does_not_have_any_more_goes(lost: bytes | None) -> None:
    local = _cache()
    _read(local, A, 1)
    local.keep(local.begin([A]), [A], [lost], 0)
    assert _version(local) is None


def test_an_absence_is_kept_like_a_document_and_ends_with_the_first_one() -> None:
    local = _cache()
    local.keep(local.begin([A]), [A], [pack(0, None)], 0)
    entry = local.get(A)
    assert entry is not None
    assert entry.document.is_deleted
    local.invalidate(A)
    assert local.get(A) is None


def test_a_document_ends_at_the_latest_so_long_after_its_read_began() -> None:
    clock = _Clock()
    local = _cache(clock, seconds_max=10)
    load = local.begin([A])
    clock.now += 7.9
    local.keep(load, [A], [_document(1)], 0)
    assert _version(local) == 1
    clock.now += 2.1
    assert _version(local) is None


def test_without_a_sign_of_life_nothing_is_used_and_with_one_it_is_again() -> None:
    clock = _Clock()
    local = _cache(clock)
    local.trust_until(clock.now + 1)
    _read(local, A, 1)
    clock.now += 1
    assert _version(local) is None
    local.trust_until(clock.now + 1)
    assert _version(local) == 1


def test_signs_of_life_of_a_closed_cache_do_not_open_it() -> None:
    local = _cache()
    _read(local, A, 1)
    local.close("lost")
    local.trust_until(ALWAYS)
    _read(local, A, 1)
    assert _version(local) is None


@pytest.mark.parametrize("bounds", [{"bytes_max": 2 * (OVERHEAD_BYTES + 2)}, {"entries_max": 2}])
def test_the_oldest_documents_make_room(bounds: dict[str, int]) -> None:
    local = _cache(**bounds)
    for number, product_id in enumerate("abcb"):
        _read(local, product_id, number)
    assert [_version(local, product_id) for product_id in "abc"] == [None, 3, 2]


def test_a_document_that_is_larger_than_the_cache_is_not_kept() -> None:
    local = _cache(bytes_max=OVERHEAD_BYTES)
    _read(local, A, 1)
    assert _version(local) is None


def test_without_memory_it_keeps_nothing() -> None:
    local = _cache(bytes_max=0)
    _read(local, A, 1)
    assert _version(local) is None


def test_documents_that_have_ended_leave_the_memory_with_the_next_sign_of_life() -> None:
    clock = _Clock()
    local = _cache(clock)
    _read(local, A, 1)
    clock.now += 10
    local.trust_until(ALWAYS)
    clock.now -= 10
    assert _version(local) is None


def test_what_is_read_often_is_refreshed_once_before_it_ends() -> None:
    clock = _Clock()
    local = _cache(clock, seconds_max=10)
    refreshed: list[str] = []
    local.refresh = refreshed.append
    _read(local, A, 1)
    _read(local, B, 1)
    for _ in range(REFRESH_READS_MIN):
        local.get(A)
    assert refreshed == []
    clock.now += 7
    for _ in range(3):
        local.get(A)
    local.get(B)
    assert refreshed == [A]
    _read(local, A, 2)
    clock.now += 5
    assert (_version(local), _version(local, B)) == (2, None)
