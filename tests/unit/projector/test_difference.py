"""What people are told of two rows."""

import json
from typing import Any

import pytest

from projector.rebuild.difference import REBUILT, VERIFIED, difference


def as_bytes(value: Any) -> str:
    return "\\x" + json.dumps(value).encode().hex()


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"id": 1, "name": "a"}, {"id": 1, "name": "b"}, 'name is "a", should be "b"'),
        ({"id": 1, "n": 1}, {"id": 1, "n": None}, "n is 1, should be nothing"),
        ({"id": 1, "more": True}, {"id": 1}, "more is true, should be nothing"),
        (None, {"id": 1}, 'is not there, should be {"id": 1}'),
        ({"id": 1}, None, 'is {"id": 1}, should be not there'),
        (
            {"document": as_bytes({"id": 1, "tags": ["a"]}), "n": 1},
            {"document": as_bytes({"id": 1, "tags": ["b"]}), "n": 2},
            'document.tags is ["a"], should be ["b"]; n is 1, should be 2',
        ),
        ({"hash": "\\xff"}, {"hash": "\\xfe"}, 'hash is "\\\\xff", should be "\\\\xfe"'),
        ({"text": "\\x61"}, {"text": "\\x62"}, 'text is "a", should be "b"'),
    ],
)
def test_only_what_differs_is_told(one: Any, other: Any, told: str) -> None:
    assert difference(one, other, VERIFIED) == told


def test_the_same_fields_in_other_bytes_are_told_whole() -> None:
    one, other = "\\x" + b'{"a":1}'.hex(), "\\x" + b'{"a": 1}'.hex()
    assert difference({"document": one}, {"document": other}, REBUILT) == (
        'document is {"a": 1} live and {"a": 1} rebuilt'
    )


def test_what_is_long_is_cut() -> None:
    told = difference({str(n): "x" * 1_000 for n in range(99)}, {}, VERIFIED)
    assert len(told) < 1_000
    assert "xxx..." in told
    assert told.endswith("...")
