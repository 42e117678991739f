"""Which URLs an owner may register: those whose host has only addresses that messages may be sent to.

The projector checks the addresses again each time that it connects, because a name may have others by then.
"""

from command_api.webhooks.errors import UnknownUrlHost, UrlRefused
from shared.webhooks.networks import AllowedNetworks, RefusedUrl, target
from shared.webhooks.resolving import UnknownHost, allowed_addresses


class ResolvedUrls:
    """Adapter of `UrlRule`."""

    def __init__(self, allowed: AllowedNetworks, *, seconds_max: float) -> None:
        self._allowed = allowed
        self._seconds_max = seconds_max

    async def check(self, url: str) -> None:
        """Raises `UrlRefused` or `UnknownUrlHost`."""
        try:
            await allowed_addresses(target(url), self._allowed, seconds_max=self._seconds_max)
        except RefusedUrl as error:
            raise UrlRefused(str(error)) from error
        except UnknownHost as error:
            raise UnknownUrlHost(str(error)) from error
