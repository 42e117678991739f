"""The answers about imports, as OpenAPI describes them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class ImportModel(BaseModel):
    """A run of an importer, as it has reported it at its end."""

    model_config = ConfigDict(title="Import")

    import_id: str = Field(description="Stands in the metadata of each of its events, too.")
    file: str
    caller: str | None = Field(description="Who ran it; null without the scope `products:audit`.")
    started_at: datetime
    finished_at: datetime | None
    products: int
    created: int
    changed: int
    unchanged: int
    rejected: int
    events: int | None = Field(description="null: not counted, because answers were repeated.")


class ImportPageModel(BaseModel):
    """Imports, the newest first."""

    model_config = ConfigDict(title="ImportPage")

    items: list[ImportModel]
    next_cursor: str | None


class RejectModel(BaseModel):
    """A product that was rejected."""

    model_config = ConfigDict(title="Reject")

    lines: str = Field(description="Its lines in the file.")
    key: str | None = Field(description="Its slug; null where that is not known.")
    reason: str


class ImportWithRejectsModel(ImportModel):
    """An import, with what it rejected."""

    model_config = ConfigDict(title="ImportWithRejects")

    rejects: list[RejectModel] = Field(description="The first of them, at most 1,000.")
    rejects_left_out: int = Field(description="How many more were rejected.")
