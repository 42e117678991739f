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
        if not _is_secret(field.annotation):
            return None, field_name, False
        path = file_of(self._variables, field_name, _SUFFIX)
        return None if path is None else Secret.from_file(path), field_name, False

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


def file_of(variables: Mapping[str, str | None], name: str, suffix: str) -> Path | None:
    """The file that contains the value of a variable; None: it has none. Raises `ValueError` if the variable
    is set as well: nobody could say which of the two counts.
    """
    path = variables.get(f"{name}{suffix}")
    if path and variables.get(name):
        raise ValueError(f"{name.upper()} is set as well: set only one of the two")
    return Path(path) if path else None


def _is_secret(annotation: Any) -> bool:
    """Also of an optional one. Validators in `Annotated` are not part of pydantic's annotation."""
    return annotation is Secret or Secret in get_args(annotation)
