"""The bodies of requests for webhook endpoints, and of their answers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from command_api.http.schemas import Body
from shared.ops.plain_values import UUID_PATTERN, canonical_uuid
from shared.webhooks.endpoint import Signature
from shared.webhooks.http.models import WebhookEndpointBody
from shared.webhooks.networks import URL_CHARACTERS_MAX

DESCRIPTION_CHARACTERS_MAX = 500
PRODUCT_IDS_MAX = 100
TYPES_MAX = 100
OLD_KEY_HOURS_MAX, OLD_KEY_HOURS_DEFAULT = 168, 24
LOG_POSITION_MAX = 2**63 - 1


def _distinct_ids(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(str(canonical_uuid(each)) for each in ids))


def _distinct(types: list[str]) -> list[str]:
    return list(dict.fromkeys(types))


Url = Annotated[
    str, StringConstraints(min_length=1, max_length=URL_CHARACTERS_MAX, pattern=r"^https?://[^\s/?#]+\S*$")
]
Types = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=100)]],
    Field(min_length=1, max_length=TYPES_MAX, description="Stored type names; null: all."),
    AfterValidator(_distinct),
]
ProductIds = Annotated[
    list[Annotated[str, StringConstraints(pattern=f"^{UUID_PATTERN}$")]],
    Field(min_length=1, max_length=PRODUCT_IDS_MAX, description="null: all."),
    AfterValidator(_distinct_ids),
]
Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_CHARACTERS_MAX)]


class WebhookEndpointIn(Body):
    """A new endpoint. Its URL begins with https://."""

    url: Url
    description: Description = ""
    types: Types | None = None
    product_ids: ProductIds | None = None
    signature: Signature = "hmac"


class WebhookEndpointPatch(Body):
    """JSON merge patch (RFC 7396): absent fields stay, null clears."""

    url: Url = ""
    description: Description | None = None
    types: Types | None = None
    product_ids: ProductIds | None = None
    status: Literal["enabled", "paused"] = "enabled"


class KeyRotation(Body):
    """`old_key_hours`: how long the present key signs, too."""

    old_key_hours: Annotated[int, Field(ge=0, le=OLD_KEY_HOURS_MAX)] = OLD_KEY_HOURS_DEFAULT


class RedeliveryAfter(Body):
    """All events after this log position are sent again."""

    after: Annotated[int, Field(ge=0, le=LOG_POSITION_MAX)]


class WrittenWebhookEndpoint(WebhookEndpointBody):
    """What a write answers. GET has also how far its deliveries are."""

    status: Literal["enabled", "paused"]


class WebhookEndpointWithSecret(WrittenWebhookEndpoint):
    """The only answer with the secret."""

    secret: str | None = Field(
        default=None,
        description="`whsec_…`, shown once; absent for ed25519, of which the public key is enough.",
    )


class RequestedTest(Body):
    """The message that is on its way."""

    webhook_id: str
