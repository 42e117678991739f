"""The settings that the command API and the projector have in common for webhooks."""

from typing import Annotated

from pydantic import AfterValidator

from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ProcessSettings
from shared.webhooks.networks import AllowedNetworks, parsed_networks


def _valid_networks(text: str) -> str:
    parsed_networks(text)
    return text


class WebhookSettings(ProcessSettings):
    """Without a key nobody can register an endpoint, and nothing is sent."""

    # Seals the signing keys of endpoints. Several texts with commas: the first seals, all open.
    webhook_secret_key: Secret = NO_SECRET
    # Networks beside the public Internet that webhooks may be sent to, also by plain http; with commas.
    webhook_networks_allowed: Annotated[str, AfterValidator(_valid_networks)] = ""

    @property
    def allowed_networks(self) -> AllowedNetworks:
        """The rule for addresses."""
        return AllowedNetworks(parsed_networks(self.webhook_networks_allowed))
