"""`POST /search:rebuild` on the operations port: an operator has the embedded search index built anew."""

from collections.abc import Callable, Mapping

from shared.access.caller import caller_in
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import Handler, Receive, Scope, Send, respond
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem
from shared.ops.logs import get_logger

OPERATOR_SCOPES = {("POST", "/search:rebuild"): Right.OPS_WRITE}
OFF = Problem(503, "search-unavailable", "Search is switched off.", "SEARCH=off")
IN_OPENSEARCH = Problem(
    409,
    "rebuilt-by-projector",
    "The projector rebuilds this index",
    "SEARCH_URL is set, so all processes share an index: python -m projector rebuild search_index",
)
_log = get_logger(__name__)


def operator_endpoints(rebuild: Callable[[], None] | Problem) -> Mapping[tuple[str, str], Handler]:
    """By (method, path), for `operations_app`. `rebuild` is the answer where there is no embedded index."""

    async def ask(scope: Scope, _: Receive, send: Send) -> None:
        """202: it is built beside the live one. A second one while it is built changes nothing."""
        if isinstance(rebuild, Problem):
            await send_problem(scope, send, rebuild)
            return
        caller = caller_in(scope)
        _log.info("search index rebuild ordered", actor=None if caller is None else caller.subject)
        rebuild()
        await respond(scope, send, 202, "application/json", b'{"rebuilding":true}')

    return {("POST", "/search:rebuild"): ask}
