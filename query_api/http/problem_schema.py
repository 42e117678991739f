"""A problem document, as OpenAPI describes it."""

from pydantic import BaseModel, ConfigDict, Field


class FieldError(BaseModel):
    pointer: str = Field(description="JSON pointer to the parameter.")
    code: str
    detail: str


class ProblemModel(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str
    code: str
    errors: list[FieldError] | None = None
    trace_id: str
    request_id: str
