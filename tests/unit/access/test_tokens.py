"""Which tokens count, and what the caller is told of the others."""

import json
import re
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.caller import Caller, caller_in, keep_caller
from shared.access.errors import InvalidToken, KeysUnavailable
from shared.access.scopes import Scope
from shared.access.tokens import TokenVerifier, caller_of_claims
from tests.in_memory.keys import InMemoryKeys
from tests.tokens import AUDIENCE, RULES, SUBJECT, bad_tokens, claims, public_keys, signing_key, token

NOW = 1_800_000_000


def _verifier(*kids: str, algorithm: str = "RS256") -> TokenVerifier:
    return TokenVerifier(InMemoryKeys(public_keys(*(kids or ("first",)), algorithm=algorithm)), RULES)


def _claims(**changed: Any) -> dict[str, Any]:
    """Of a token that is good at NOW."""
    return claims(**{"iat": NOW - 60, "exp": NOW + 60, **changed})


async def test_a_good_token_tells_its_caller() -> None:
    expires_at = int(time.time()) + 60
    made = token([Scope.OPS_READ, "of-another-service"], exp=expires_at)
    caller = await _verifier().verify(made.encode())
    assert caller == Caller(SUBJECT, frozenset({Scope.OPS_READ}), "tests", expires_at)
    assert (caller.may(Scope.OPS_READ), caller.may(Scope.OPS_WRITE)) == (True, False)


@pytest.mark.parametrize("algorithm", RULES.algorithms)
async def test_each_allowed_algorithm_verifies(algorithm: str) -> None:
    made = token(algorithm=algorithm)
    assert (await _verifier(algorithm=algorithm).verify(made.encode())).subject == SUBJECT


@pytest.mark.parametrize(
    "head", [{"typ": "application/at+jwt"}, {"typ": "AT+JWT"}, {"x5t": "abc"}, {"ours": 1}]
)
async def test_a_head_that_means_the_same_is_accepted(head: dict[str, Any]) -> None:
    assert (await _verifier().verify(token(head=head).encode())).subject == SUBJECT


async def test_one_of_several_audiences_is_enough() -> None:
    made = token(aud=["another-service", AUDIENCE])
    assert (await _verifier().verify(made.encode())).subject == SUBJECT


@pytest.mark.parametrize("wrong", bad_tokens())
async def test_a_bad_token_is_refused_with_a_reason_that_can_be_sent(wrong: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        await _verifier().verify(bad_tokens()[wrong].encode())
    # RFC 6750, 3: an error_description has no quotes, no backslashes and ASCII only.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", refused.value.reason)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": "soon"}, "expiry"),
        ({"exp": True}, "expiry"),
        ({"exp": float("nan")}, "expiry"),
        ({"nbf": "now"}, "start of validity"),
        ({"iat": []}, "time of issue"),
        ({"aud": []}, "audience"),
        ({"aud": [7]}, "audience"),
        ({"aud": {"product-catalogue": 1}}, "audience"),
        ({"iss": ["https://issuer.test"]}, "issuer"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "a" * 256}, "subject"),
        ({"sub": "two\nlines"}, "subject"),
        ({"sub": "half \ud800"}, "subject"),
        ({"sub": "turned \u202e round"}, "subject"),
        ({"scope": ["ops:write"]}, "scope"),
    ],
)
def test_a_claim_of_the_wrong_form_is_named(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        caller_of_claims(_claims(**changed), RULES, NOW)


@pytest.mark.parametrize(
    ("claim", "limit"),
    # The first second in which a token counts no longer, and the last in which it does not count yet.
    [("exp", NOW - RULES.leeway_seconds), ("nbf", NOW + RULES.leeway_seconds + 1), ("iat", NOW + 31)],
)
def test_clocks_may_differ_by_the_leeway_and_no_more(claim: str, limit: int) -> None:
    towards_now = 1 if claim == "exp" else -1
    given = {claim: limit + towards_now}
    assert caller_of_claims(_claims(**given), RULES, NOW + 0.9).subject == SUBJECT
    with pytest.raises(InvalidToken):
        caller_of_claims(_claims(**{**given, claim: limit}), RULES, NOW)


def test_an_expiry_beyond_every_date_is_no_error() -> None:
    assert caller_of_claims(_claims(exp=10**400), RULES, NOW).expires_at == 2**53


def test_scopes_are_separated_by_spaces_and_compared_exactly() -> None:
    made = _claims(scope="products:read  ops:read Products:Write products:read-draft products:read,ops:write")
    assert caller_of_claims(made, RULES, NOW).scopes == {Scope.PRODUCTS_READ, Scope.OPS_READ}


async def test_a_token_without_a_key_id_counts_only_if_there_is_no_choice() -> None:
    made = token(head={"kid": None}).encode()
    assert (await _verifier().verify(made)).subject == SUBJECT
    with pytest.raises(InvalidToken):
        await _verifier("first", "second").verify(made)


@pytest.mark.parametrize("head", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"b64": True}])
async def test_an_extension_that_must_be_understood_is_refused(head: dict[str, Any]) -> None:
    made = token()
    named = urlsafe_b64encode(json.dumps({"alg": "RS256", "typ": "at+jwt", **head}).encode()).rstrip(b"=")
    with pytest.raises(InvalidToken, match="an extension that is not supported"):
        await _verifier().verify(named + b"." + made.partition(".")[2].encode())


async def test_a_key_that_is_made_for_another_algorithm_does_not_verify() -> None:
    keys = public_keys("first")
    keys["first"] = type(keys["first"]).import_key(  # type: ignore[assignment]
        {**signing_key("first").as_dict(private=False), "alg": "PS256"}
    )
    with pytest.raises(InvalidToken, match="signature"):
        await TokenVerifier(InMemoryKeys(keys), RULES).verify(token().encode())


async def test_without_keys_the_token_is_not_called_invalid() -> None:
    keys = InMemoryKeys(public_keys("first"))
    keys.is_away = True
    with pytest.raises(KeysUnavailable):
        await TokenVerifier(keys, RULES).verify(token().encode())


@given(st.one_of(st.binary(max_size=200), st.lists(st.binary(max_size=60), min_size=3, max_size=3)))
async def test_nothing_but_a_token_is_a_token(given_bytes: bytes | list[bytes]) -> None:
    parts = given_bytes if isinstance(given_bytes, list) else []
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts) or bytes(given_bytes)
    with pytest.raises(InvalidToken):
        await _verifier().verify(text)


@pytest.mark.parametrize("part", [b"[" * 5000, b'{"a":' * 1500, b"null", b"[]", b"7", b'"x"'])
async def test_a_part_that_is_no_object_is_refused(part: bytes) -> None:
    encoded = urlsafe_b64encode(part).rstrip(b"=")
    made = token().encode().split(b".")
    for text in (b".".join([encoded, *made[1:]]), b".".join([made[0], encoded, made[2]])):
        with pytest.raises(InvalidToken):
            await _verifier().verify(text)


def test_the_caller_is_kept_in_the_request() -> None:
    scope: dict[str, Any] = {}
    assert caller_in(scope) is None
    caller = Caller(SUBJECT, frozenset(), None, NOW)
    keep_caller(scope, caller)
    assert caller_in(scope) is caller
