"""The migrations that code of this release needs in each database.

A process may use a database whose migration files belong to another process: the query API reads the
projector's tables. So the names stand here, where all processes meet. A new `before_deploy` migration is
added to its list; a test compares both. Steps named `after_deploy` only remove, so no code needs them.
"""

from typing import NamedTuple


class Schema(NamedTuple):
    """`needed`: names of migrations, in order. `command` applies those that are missing."""

    database: str
    command: str
    needed: tuple[str, ...]


EVENT_STORE = Schema(
    "event store",
    "python -m command_api migrate",
    (
        "0001_before_deploy_event_log",
        "0002_before_deploy_partitions",
        "0003_before_deploy_append",
        "0004_before_deploy_append_usual_case",
        "0005_before_deploy_append_event",
        "0006_before_deploy_fewer_rights",
        "0007_before_deploy_log_reader",
        "0009_before_deploy_log_room",
        "0010_before_deploy_log_archive",
        "0011_before_deploy_load_streams",
        "0012_before_deploy_events_after",
        "0013_before_deploy_history",
        "0014_before_deploy_webhook_endpoints",
        "0015_before_deploy_imports",
    ),
)
READ_MODEL = Schema(
    "read model",
    "python -m projector migrate",
    (
        "0001_before_deploy_product_view",
        "0002_before_deploy_parking",
        "0003_before_deploy_rebuild",
        "0004_before_deploy_counting_views",
        "0005_before_deploy_states_and_notifications",
        "0006_before_deploy_notification_digests",
        "0007_before_deploy_rebuild_owner",
        "0008_before_deploy_audit_log",
        "0009_before_deploy_fewer_rights",
        "0010_before_deploy_verifications",
        "0011_before_deploy_closed_to_others",
        "0012_before_deploy_starting_places",
        "0013_before_deploy_log_of_positions",
        "0014_before_deploy_product_snapshots",
        "0015_before_deploy_parked_positions",
        "0016_before_deploy_lists_by_status",
        "0017_before_deploy_webhook_deliveries",
        "0018_before_deploy_status_of_operations",
    ),
)
