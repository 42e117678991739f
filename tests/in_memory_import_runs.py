"""The fake of `ImportRuns`; it passes the suite of the adapter (tests/integration/test_import_runs.py)."""

from command_api.import_runs import ImportIdTaken, ImportRun


class InMemoryImportRuns:
    """Runs by id. `failure` is raised instead of keeping one."""

    def __init__(self, *, imports_max: int = 1000) -> None:
        self.runs: dict[str, ImportRun] = {}
        self.failure: Exception | None = None
        self._imports_max = imports_max

    async def keep(self, run: ImportRun) -> None:
        if self.failure is not None:
            raise self.failure
        stored = self.runs.get(run.import_id)
        if stored is not None and stored.caller != run.caller:
            raise ImportIdTaken
        self.runs[run.import_id] = run
        newest = sorted(self.runs.values(), key=lambda one: (one.started_at, one.import_id), reverse=True)
        kept = {one.import_id for one in newest[: self._imports_max]} | {run.import_id}
        self.runs = {import_id: one for import_id, one in self.runs.items() if import_id in kept}
