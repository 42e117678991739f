"""What the light path of all connections of a port shares with the framework's way."""

from typing import NamedTuple

from command_api.http.answers import WriteApi
from command_api.http.light.addresses import Addresses
from command_api.http.light.answer import LightAnswers
from command_api.http.single_commands import ENDPOINTS
from shared.access.guard import Guard
from shared.ops.http.request_records import RequestRecords
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.limits import Limits


class LightParts(NamedTuple):
    """`guard` None: everybody may do everything."""

    api: WriteApi
    guard: Guard | None
    limits: ApiLimits
    rates: Limits
    records: RequestRecords
    addresses: Addresses
    answers: LightAnswers


def light_parts(api: WriteApi, guard: Guard | None, limits: ApiLimits, records: RequestRecords) -> LightParts:
    """The same objects as in the layers around the framework, so that both ways count together."""
    rates = limits.usual_limits
    answers = LightAnswers(rates, is_private=guard is not None)
    return LightParts(api, guard, limits, rates, records, Addresses(ENDPOINTS), answers)
