"""A request as an endpoint reads it, whichever way it came: through the framework, or before it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from starlette.requests import Request

from command_api.domain.errors import ProductNotFound
from shared.access.caller import Caller, caller_in
from shared.ops.http.path import segment_bytes
from shared.ops.http.request_context import RequestContext, context_of
from shared.ops.plain_values import canonical_uuid

HeaderPairs = Sequence[tuple[bytes, bytes]]
HeaderValues = Mapping[bytes, Sequence[bytes]]
"""Values by the name in lower case, in the order in which they came."""


class Given:
    """`path` as it was sent, `names` its segments by their names in the template. `pairs` are all headers,
    `values` the same by name. `caller` None: access control is off.
    """

    __slots__ = ("_names", "_values", "body", "caller", "context", "method", "pairs", "path")

    def __init__(
        self,
        method: str,
        path: str,
        names: Mapping[str, str],
        pairs: HeaderPairs,
        values: HeaderValues,
        context: RequestContext,
        caller: Caller | None,
        body: bytes = b"",
    ) -> None:
        self.method = method
        self.path = path
        self.context = context
        self.caller = caller
        self.body = body
        self.pairs = pairs
        self._names = names
        self._values = values

    @classmethod
    def of(cls, request: Request) -> "Given":
        """What the framework has, without the body."""
        scope = request.scope
        pairs = scope["headers"]
        context = context_of(scope)
        return cls(
            scope["method"],
            scope["path"],
            request.path_params,
            pairs,
            header_values(pairs),
            context,
            caller_in(scope),
        )

    def values(self, name: bytes) -> list[str]:
        """All values of a header."""
        return [value.decode("latin-1") for value in self._values.get(name, ())]

    def has(self, name: bytes) -> bool:
        """Whether the header was sent, if only with an empty value."""
        return name in self._values

    @property
    def product_id(self) -> UUID:
        """The id in the path. Raises `ProductNotFound` if it is not an id: then it names no product."""
        return product_id_of(self._names["product_id"])

    @property
    def raw_sku(self) -> bytes:
        """The SKU of the path as bytes, decoded after the path was split."""
        return segment_bytes(self._names["sku"])


def header_values(pairs: HeaderPairs) -> HeaderValues:
    """Of pairs whose names are in lower case."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def product_id_of(text: str) -> UUID:
    """The id in a path or an operation. Raises `ProductNotFound`."""
    try:
        return canonical_uuid(text)
    except ValueError as error:
        raise ProductNotFound from error
