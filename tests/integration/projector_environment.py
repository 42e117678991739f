"""Settings as the environment of a process."""

from projector.settings import ProjectorSettings


def environment_of(settings: ProjectorSettings) -> dict[str, str]:
    """What a process must be told to have these settings."""
    return {
        name.upper(): str(value)
        for name, value in settings.model_dump().items()
        if value != type(settings).model_fields[name].default
    }
