"""The parameters of the reads. The framework does not parse them: both APIs refuse in the same words."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from shared.ops.http.plain_errors import plain_text
from shared.ops.plain_values import whole_number
from shared.webhooks.errors import BadParameter
from shared.webhooks.reading import DeliveryState

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
CURSOR_CHARACTERS_MAX = 256


def _digits_only(value: Any) -> Any:
    return whole_number(value) if isinstance(value, str) else value


class Paging(BaseModel):
    """Of a list; undeclared parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, BeforeValidator(_digits_only)] = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(None, pattern="^[A-Za-z0-9_-]+$", max_length=CURSOR_CHARACTERS_MAX)


class DeliveryParameters(Paging):
    """Of the list of deliveries."""

    state: DeliveryState | None = None


P = TypeVar("P", bound=BaseModel)


def parsed(model: type[P], request: Request) -> P:
    """The parameters of the request. Raises `BadParameter` for the first that is not acceptable."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise BadParameter(name, "is given more than once", "repeated")
        given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        code = "unknown" if wrong["type"] == "extra_forbidden" else wrong["type"].replace("_", "-")
        raise BadParameter(str(wrong["loc"][0]), plain_text(wrong), code) from error
