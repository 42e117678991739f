"""Every environment variable that `archive-log` and `restore-log` read."""

from pathlib import Path

from pydantic import Field

from command_api.settings import MigrateSettings


class ArchiveSettings(MigrateSettings):
    """They connect as the owner of the tables, who alone may detach a partition."""

    log_archive_folder: Path = Path(".local/log-archive")
    # A partition is removed only when each of its products was deleted longer ago than this.
    log_archive_deleted_days_min: int = Field(default=365, ge=0)
    # How long one step may wait behind a lock; then the command ends, and is run again.
    log_archive_lock_seconds_max: float = Field(default=5.0, gt=0)
