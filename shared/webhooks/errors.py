"""What the reads of webhooks refuse; `http/problems.py` gives each its HTTP status.

WebhookRefused
+-- WebhooksOff          no signing key can be sealed: WEBHOOK_SECRET_KEY is not set
+-- EndpointNotFound     absent, deleted, or somebody else's
+-- DeliveryNotFound     of this endpoint
+-- BadParameter         names the parameter
WebhookReadUnavailable   the database of the read does not answer; the caller may try again
"""


class WebhookRefused(Exception):
    """The request is refused; the text is for the caller. `field`: a JSON pointer, if one field is wrong."""

    field = ""


class WebhooksOff(WebhookRefused):
    """This installation has no webhooks."""

    def __init__(self) -> None:
        super().__init__("this installation has no webhooks: WEBHOOK_SECRET_KEY is not set")


class EndpointNotFound(WebhookRefused):
    """The endpoint does not exist for this caller."""

    def __init__(self) -> None:
        super().__init__("there is no such webhook endpoint")


class DeliveryNotFound(WebhookRefused):
    """The endpoint has no such delivery, or no longer."""

    def __init__(self) -> None:
        super().__init__("the endpoint has no such delivery; deliveries are deleted after some time")


class BadParameter(WebhookRefused):
    """`parameter` of the query string is not acceptable."""

    def __init__(self, parameter: str, reason: str, code: str = "invalid") -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason
        self.code = code


class WebhookReadUnavailable(Exception):
    """The database does not answer, or took too long. The text is for the log."""
