"""Settings as the environment of a process."""

from projector.settings import ProjectorSettings
from shared.ops.secret import Secret


def environment_of(settings: ProjectorSettings) -> dict[str, str]:
    """What a process must be told to have these settings; not what they have computed of themselves."""
    fields = type(settings).model_fields
    return {
        name.upper(): value.read() if isinstance(value, Secret) else str(value)
        for name, value in settings
        if name in fields and value != fields[name].default
    }
