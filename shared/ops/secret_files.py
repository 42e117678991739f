"""Every secret setting `NAME` may be given as `NAME_FILE`, the path of a file that contains it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from shared.ops.secret import Secret

_SUFFIX = "_file"


class SecretFilesAreWrong(Exception):
    """`reasons` has one line for each variable, without any value."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class SecretFiles(PydanticBaseSettingsSource):
    """The settings source of all fields of type `Secret`.

    `variables` are those of the environment and of `.env`, with names in lower case. Raises
    `SecretFilesAreWrong`.
    """

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self._variables.get(f"{field_name}{_SUFFIX}")
        if not path or not _is_secret(field.annotation):
            return None, field_name, False
        if self._variables.get(field_name):
            raise ValueError(f"{field_name.upper()} is set as well: set only one of the two")
        return Secret.from_file(Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        reasons = []
        for name, field in self.settings_cls.model_fields.items():
            try:
                value, _, _ = self.get_field_value(field, name)
            except ValueError as error:
                reasons.append(f"{name.upper()}{_SUFFIX.upper()}: {error}")
                continue
            if value is not None:
                found[name] = value
        if reasons:
            raise SecretFilesAreWrong(reasons)
        return found


def _is_secret(annotation: Any) -> bool:
    """Also of an optional one. Validators in `Annotated` are not part of pydantic's annotation."""
    return annotation is Secret or Secret in get_args(annotation)
