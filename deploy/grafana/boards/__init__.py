"""The list of all boards, and the files that are generated from it."""

from pathlib import Path

from deploy.grafana.board import Board
from deploy.grafana.boards.apis import COMMAND_API, QUERY_API
from deploy.grafana.boards.kafka_and_redis import KAFKA, REDIS
from deploy.grafana.boards.operations import OPERATIONS
from deploy.grafana.boards.overview import OVERVIEW
from deploy.grafana.boards.pipeline import PIPELINE
from deploy.grafana.boards.pods import PODS
from deploy.grafana.boards.postgresql import POSTGRESQL
from deploy.grafana.dashboard import dashboard_json

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
BOARDS: tuple[Board, ...] = (
    OVERVIEW, COMMAND_API, QUERY_API, PIPELINE, POSTGRESQL, KAFKA, REDIS, PODS, OPERATIONS,
)  # fmt: skip


def files() -> dict[Path, str]:
    """What must be in the folder of dashboards."""
    return {DASHBOARDS / f"{board.name}.json": dashboard_json(board) for board in BOARDS}
