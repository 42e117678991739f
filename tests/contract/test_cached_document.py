"""The value in Redis: what was packed comes out, and versions compare as text as they do as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.cached_document import VERSION_DIGITS, CachedDocument, pack, unpack

_versions = st.integers(0, 2**31 - 1)


@given(_versions, st.none() | st.binary(max_size=100))
def test_a_packed_document_comes_out_as_it_went_in(version: int, body: bytes | None) -> None:
    assert unpack(pack(version, body)) == CachedDocument(version, body is None, body or b"")


@given(_versions, _versions)
def test_prefixes_compare_as_versions_do_because_the_guard_compares_text(one: int, other: int) -> None:
    prefixes = pack(one, b"x")[:VERSION_DIGITS], pack(other, None)[:VERSION_DIGITS]
    assert (prefixes[0] < prefixes[1]) == (one < other)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_document_or_a_value_error(value: bytes) -> None:
    try:
        document = unpack(value)
    except ValueError:
        return
    assert document.body == value[VERSION_DIGITS + 1 :]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"L",
        b"0" * 16,
        b"0" * 16 + b"X{}",
        b"0" * 15 + b"L{}",
        b"{" * 40,
        b"x" * 16 + b"L{}",
        b"-" + b"0" * 15 + b"L",
        b"    0000 000 0 1L{}",
        b"000000000000_001L{}",
        b"+000000000000001L{}",
    ],
)
def test_what_was_not_packed_here_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="not a cached document"):
        unpack(value)
