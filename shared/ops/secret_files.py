"""Every secret setting `NAME` may be given as `NAME_FILE`, the path of a file that contains it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from shared.ops.secret import Secret, secret_text

_SUFFIX = "_file"


class SecretFilesAreWrong(Exception):
    """`reasons` has one line for each variable, without any value."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class SecretFiles(PydanticBaseSettingsSource):
    """The settings source of all secret fields: those of type `Secret` and `SecretStr`.

    A `Secret` is read again when it is used, a `SecretStr` only here. `variables` are those of the
    environment and of `.env`, with names in lower case. Raises `SecretFilesAreWrong`.
    """

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self._variables.get(f"{field_name}{_SUFFIX}")
        kind = _secret_kind(field.annotation)
        if not path or kind is None:
            return None, field_name, False
        if self._variables.get(field_name):
            raise ValueError(f"{field_name.upper()} is set as well: set only one of the two")
        file = Path(path)
        return (Secret.from_file(file) if kind is Secret else SecretStr(secret_text(file))), field_name, False

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


def _secret_kind(annotation: Any) -> type[Secret] | type[SecretStr] | None:
    """Also of an optional one. Validators in `Annotated` are not part of pydantic's annotation."""
    kinds: tuple[type[Secret], type[SecretStr]] = (Secret, SecretStr)
    for kind in kinds:
        if annotation is kind or kind in get_args(annotation):
            return kind
    return None
