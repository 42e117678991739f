"""The refusals of commands for webhook endpoints; nothing was written. `EndpointNotFound` and others that
reads also have are in shared/webhooks/errors.py.

WebhookRefused
+-- UrlRefused             webhooks are not sent to this address
+-- UnknownUrlHost         the name in the URL has no address
+-- UnknownEventTypes      events of these types do not exist
+-- TooManyEndpoints       the limit of the installation is reached
+-- EndpointVersionDiffers the endpoint is not at the version that the caller named (If-Match)
+-- EndpointKeepsChanging  the retries after version conflicts are used up
"""

from shared.webhooks.errors import WebhookRefused


class UrlRefused(WebhookRefused):
    """No message is sent to this URL; the text says why."""

    field = "/url"


class UnknownUrlHost(WebhookRefused):
    """The name in the URL cannot be resolved now."""

    field = "/url"


class UnknownEventTypes(WebhookRefused):
    """The text names the types."""

    field = "/types"


class TooManyEndpoints(WebhookRefused):
    """The limit of the installation is reached."""

    def __init__(self, endpoints_max: int) -> None:
        super().__init__(f"there are {endpoints_max} webhook endpoints, and there can be no more")


class EndpointVersionDiffers(WebhookRefused):
    """The endpoint is at another version than the caller named."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"the webhook endpoint is at version {current_version}")
        self.current_version = current_version


class EndpointKeepsChanging(WebhookRefused):
    """Others changed it between each reading and writing."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"others keep changing the webhook endpoint; it is at version {current_version}")
        self.current_version = current_version
