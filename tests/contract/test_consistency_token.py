"""The token survives its round trip, fits its header, and nothing made up crashes its reader."""

import base64
import contextlib
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.consistency_token import (
    TOKEN_BYTES_MAX,
    ConsistencyToken,
    MalformedToken,
    decode_token,
    encode_token,
)

_positions = st.integers(0, 2**63 - 1)
_tokens = st.builds(
    ConsistencyToken,
    st.dictionaries(st.integers(0, 10_000), _positions, max_size=300),
    st.none() | st.uuids(),
    st.none() | st.integers(1, 2**31 - 1),
)


def _raw(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@given(_tokens)
def test_a_token_fits_its_bound_and_keeps_the_furthest_positions(token: ConsistencyToken) -> None:
    encoded = encode_token(token)
    assert len(encoded.encode()) <= TOKEN_BYTES_MAX
    decoded = decode_token(encoded)
    assert (decoded.product_id, decoded.stream_version) == (token.product_id, token.stream_version)
    assert decoded.positions.items() <= token.positions.items()
    left_out = [position for key, position in token.positions.items() if key not in decoded.positions]
    assert max(left_out, default=0) <= min(decoded.positions.values(), default=2**63)


def test_every_position_of_the_twelve_default_partitions_fits() -> None:
    token = ConsistencyToken(dict.fromkeys(range(12), 2**63 - 1), UUID(int=2**128 - 1), 2**31 - 1)
    assert decode_token(encode_token(token)) == token


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_is_a_token_or_malformed(value: str) -> None:
    with contextlib.suppress(MalformedToken):
        assert isinstance(decode_token(value), ConsistencyToken)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "=",
        "a",
        "not a token",
        "é",
        "\0",
        "A" * 2000,
        _raw([]),
        _raw(None),
        _raw({}),
        _raw({"p": [1]}),
        _raw({"p": {"0": -1}}),
        _raw({"p": {"-1": 1}}),
        _raw({"p": {"x": 1}}),
        _raw({"p": {"0": 1.5}}),
        _raw({"p": {"0": True}}),
        _raw({"p": {"0": "1"}}),
        _raw({"p": {}, "i": "x"}),
        _raw({"p": {}, "v": "1"}),
        _raw({"p": {"0": 2**63}}),
        _raw({"p": {"0": 10**30}}),
        _raw({"p": {}, "v": -1}),
        _raw({"p": {}, "v": 2**31}),
    ],
)
def test_what_this_service_never_gave_out_is_malformed(value: str) -> None:
    with pytest.raises(MalformedToken):
        decode_token(value)
