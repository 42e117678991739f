"""A process keeps the issuer's keys new by itself: nobody has to send a token for it."""

from contextlib import AsyncExitStack

from shared.access.settings import AccessSettings
from shared.access.source import open_guard
from tests.counters import counted
from tests.eventually import eventually
from tests.guards import LOG_REPEATS_SECONDS
from tests.tokens import public_document
from tests.unit.access.issuer_stand_in import issuer_stand_in


def fetched() -> float:
    return counted("access_key_fetches_total", result="fetched")


def must_be_more(value: float, than: float) -> None:
    assert value > than


async def test_the_issuer_is_asked_again_and_again_though_nobody_sends_a_token() -> None:
    async with issuer_stand_in() as issuer, AsyncExitStack() as stack:
        issuer.publish("/keys", public_document("first"))
        before = fetched()
        await open_guard(_settings(issuer.url), stack)
        await eventually(lambda: must_be_more(fetched(), before + 2))


async def test_the_keys_are_there_after_an_outage_of_the_issuer_before_the_first_token_comes() -> None:
    async with issuer_stand_in() as issuer, AsyncExitStack() as stack:
        before = fetched()
        await open_guard(_settings(issuer.url), stack)
        await eventually(lambda: must_be_more(len(issuer.asked), 2))  # it answers 404
        assert fetched() == before
        issuer.publish("/keys", public_document("first"))
        await eventually(lambda: must_be_more(fetched(), before))


def _settings(url: str) -> AccessSettings:
    return AccessSettings(
        _env_file=None,  # type: ignore[call-arg]
        auth_issuer=url,
        auth_jwks_url=f"{url}/keys",
        auth_keys_refresh_seconds=0.01,
        auth_keys_cool_down_seconds=0.01,
        log_repeats_seconds=LOG_REPEATS_SECONDS,
    )
