"""One command on one state of its product: the events to append, and the answer after that.

Events get their ids and metadata here; the domain has no clock.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import NamedTuple
from uuid import UUID

import msgspec

from command_api.domain import errors
from command_api.domain.commands import CreateProduct
from command_api.domain.decide import decide
from command_api.domain.limits import check_sizes
from command_api.domain.product import Product, evolve, existing, reservations
from command_api.executing.caller import signed
from command_api.executing.ports import Append, KeyedAnswer, Session, Stream
from command_api.executing.request import Done, Rendered, Request


class Decided(NamedTuple):
    """`after`: the product after the events; `size_bytes` of its JSON."""

    rendered: Rendered
    append: Append
    after: Product
    size_bytes: int


def decide_on(
    request: Request,
    stream: Stream,
    before: Product | None,
    waited_seconds: float,
    new_id: Callable[[], UUID],
    known_in: Session | None = None,
) -> Decided:
    """The events to append, and the answer after that. Raises a `Refused`. `known_in`: as `Append` has it."""
    if not isinstance(request.command, CreateProduct):
        existing(before)  # before the version check: a deleted product has no version that could match
    if request.versions_wanted is not None and stream.stream_version not in request.versions_wanted:
        raise errors.VersionDoesNotMatch(stream.stream_version)
    events = decide(request.command, before)
    after = reduce(evolve, events, before)
    assert after is not None
    command_id = str(new_id() if request.key is None else request.key.key)
    new_events = signed(events, request.caller, command_id, new_id)
    size_bytes = check_sizes(after, max((len(event.encoded.data) for event in new_events), default=0))
    done = Done(request.product_id, stream.stream_version + len(events), after, events)
    rendered = request.render(done)
    key = request.key
    held, wanted = reservations(before), reservations(after)
    append = Append(
        product_id=request.product_id,
        expected_version=stream.stream_version,
        last_position=stream.last_position,
        events=new_events,
        claims=wanted - held,
        releases=held - wanted,
        answer=None if key is None else KeyedAnswer(key.key, key.fingerprint, *rendered),
        waited_seconds=waited_seconds,
        known_in=known_in,
    )
    return Decided(rendered, append, after, size_bytes)


def with_another_slug(request: Request, taken: str) -> Request:
    """For a generated slug: adds the end of the product's id, which is unique."""
    command = request.command
    if not request.slug_is_generated or not isinstance(command, CreateProduct):
        raise errors.SlugTaken(taken)
    suffix = f"-{request.product_id.hex[-12:]}"
    slug = command.product.slug.removesuffix(suffix) + suffix
    if slug == taken:
        raise errors.SlugTaken(taken)
    return replace(request, command=CreateProduct(msgspec.structs.replace(command.product, slug=slug)))
