"""Which URLs an owner may register: those whose host has only addresses that messages may be sent to.

The projector checks the addresses again each time that it connects, because a name may have others by then.
"""

from command_api.webhooks.errors import UnknownUrlHost, UrlRefused
from shared.webhooks.networks import AllowedNetworks, RefusedUrl, target
from shared.webhooks.resolving import UnknownHost, allowed_addresses

RESOLVE_SECONDS_MAX = 3.0


class ResolvedUrls:
    """Adapter of `UrlRule`."""

    def __init__(self, allowed: AllowedNetworks) -> None:
        self._allowed = allowed

    async def check(self, url: str) -> None:
        """Raises `UrlRefused` or `UnknownUrlHost`."""
        try:
            await allowed_addresses(target(url), self._allowed, seconds_max=RESOLVE_SECONDS_MAX)
        except RefusedUrl as error:
            raise UrlRefused(str(error)) from error
        except UnknownHost as error:
            raise UnknownUrlHost(str(error)) from error
