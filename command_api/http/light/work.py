"""The work on one request of the light path: what the layers around the framework do, in their order.

Whatever is refused before the command is executed is handed to the framework, with what the request has by
then: its place in the queue, and what the limits of its caller say. So each refusal is made in one place.
"""

import time
from collections.abc import Callable, Sequence
from time import perf_counter

from structlog.contextvars import bind_contextvars

from command_api.domain.errors import Refused
from command_api.executing.request import Request
from command_api.http.body import require_media_type
from command_api.http.given import Given
from command_api.http.headers import actor_of, refuse_preconditions
from command_api.http.light.head import LightRequest
from command_api.http.light.parts import LightParts
from command_api.http.problems import EXPECTED_ERRORS, HttpProblem, problem_headers, problem_of
from command_api.http.single_commands import answer_headers
from shared.ops.http.asgi import ClientLeft
from shared.ops.http.json_text import BOM
from shared.ops.http.port_load import PortLoad
from shared.ops.http.problem import INTERNAL_ERROR, problem_body
from shared.ops.http.request_context import RequestContext, caller_trace, read_context
from shared.ops.http.request_span import end_of_request
from shared.ops.overload.place import PLACE, Place
from shared.ops.overload.work_queue import TurnedAway
from shared.rate_limits.budget import Decision
from shared.rate_limits.limits import TAKES, caller_of
from shared.telemetry.spans import NO_SPAN, Span, SpanKind
from shared.telemetry.tracing import is_tracing, trace

Send = Callable[[bytes], None]
DefaultHeaders = Callable[[], list[tuple[bytes, bytes]]]


class LightWork:
    """One request, with its body. `send` is called once, unless the framework has to answer."""

    __slots__ = ("_always", "_decisions", "_load", "_parts", "_place", "_request", "_send")

    def __init__(
        self, parts: LightParts, load: PortLoad, request: LightRequest, always: DefaultHeaders, send: Send
    ) -> None:
        self._parts = parts
        self._load = load
        self._request = request
        self._always = always
        self._send = send
        self._place: Place | None = None
        self._decisions: Sequence[Decision] = ()

    async def run(self) -> bool:
        """Answer the request; False: the framework has to."""
        load, size_bytes = self._load, len(self._request.body)
        if load.requests_are_too_many() or load.bodies_bytes + size_bytes > load.bodies_bytes_max:
            return False
        if load.overload is not None:
            self._request.scope["path"] = self._request.found.path
            self._place = load.overload.place_for(self._request.scope)
        load.requests += 1
        load.bodies_bytes += size_bytes
        self._parts.records.in_flight += 1
        is_handed_over = False
        try:
            is_handed_over = not await self._within_limits()
            return not is_handed_over
        finally:
            self._parts.records.in_flight -= 1
            load.requests -= 1
            load.bodies_bytes -= size_bytes
            if self._place is not None:
                if is_handed_over:
                    self._request.scope[PLACE] = self._place
                else:
                    self._place.leave()

    async def _within_limits(self) -> bool:
        limits, request = self._parts.limits, self._request
        peer = request.scope["client"]
        address = limits.addresses.of(peer[0] if peer else None, request.pairs)
        subject = None if request.caller is None else request.caller.subject
        who = caller_of(subject, address)
        if self._place is not None:
            self._place.caller = who
        if not self._parts.rates.is_active and limits.in_progress_max is None:
            return await self._in_place()
        in_progress = limits.in_progress
        if limits.in_progress_max is not None and in_progress.of(who) >= limits.in_progress_max:
            return False
        in_progress.begin(who)
        try:
            if self._parts.rates.is_active:
                takes = self._parts.rates.take(subject, address)
                request.scope[TAKES] = takes
                self._decisions = [await each for each in takes]
                if not all(each.is_allowed for each in self._decisions):
                    return False
            return await self._in_place()
        finally:
            in_progress.end(who)

    async def _in_place(self) -> bool:
        if self._place is not None and not self._place.enter_at_once():
            try:
                await self._place.enter()
            except TurnedAway:
                return False
        request = self._request
        span = self._span()
        context = read_context(request.pairs, span.context)
        endpoint, path, names = request.found
        body = request.body.removeprefix(BOM)
        given = Given(
            endpoint.method, path, names, request.pairs, request.values, context, request.caller, body
        )
        try:
            refuse_preconditions(given, endpoint.preconditions)
            if endpoint.media_types:
                require_media_type(given, *endpoint.media_types)
            command = endpoint.prepare(given)
        except (HttpProblem, Refused):
            return False
        bind_contextvars(
            request_id=context.request_id,
            correlation_id=context.request_id,
            trace_id=context.trace.trace_id,
            span_id=context.trace.span_id,
            actor=actor_of(given),
        )
        with span:
            await self._execute(command, context, span)
        return True

    def _span(self) -> Span:
        if not is_tracing():
            return NO_SPAN
        request = self._request
        waited_ns = int((perf_counter() - request.started) * 1_000_000_000)
        return trace(
            request.found.endpoint.method,
            SpanKind.SERVER,
            caller_trace(dict(request.pairs)),
            refusals=ClientLeft,
            began_ns=time.time_ns() - waited_ns,
        )

    async def _execute(self, command: Request, context: RequestContext, span: Span) -> None:
        parts, endpoint = self._parts, self._request.found.endpoint
        product_id = self._request.found.names.get("product_id")
        try:
            answer = await parts.api.execute.execute(command)
        except Exception as error:
            if not isinstance(error, EXPECTED_ERRORS):
                parts.records.failed(self._request.found.path)
                span.fail(error)
            self._refuse(error, context)
            status = problem_of(error).status
        except BaseException:
            # The server stops, and has waited long enough. Nobody knows what became of the command.
            self._refuse(RuntimeError(INTERNAL_ERROR.title), context)
            raise
        else:
            product_id = product_id or str(answer.product_id)
            headers = answer_headers(parts.api, endpoint, answer)
            status = answer.status
            self._answer(status, headers, answer.body, context, is_problem=False)
        method, route, path = endpoint.method, endpoint.path, self._request.found.path
        end_of_request(span, {"path": path}, method, route, status)
        seconds = perf_counter() - self._request.started
        parts.records.record(method, route, path, status, seconds, product_id=product_id)

    def _refuse(self, error: Exception, context: RequestContext) -> None:
        problem = problem_of(error)
        body = problem_body(
            problem,
            trace_id=context.trace.trace_id,
            request_id=context.request_id,
            instance=self._request.found.path,
        )
        self._answer(problem.status, problem_headers(error, problem), body, context, is_problem=True)

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, context: RequestContext, *, is_problem: bool
    ) -> None:
        if self._decisions:
            self._parts.rates.count(self._decisions)
        self._send(
            self._parts.answers.joined(
                status,
                headers,
                body,
                is_problem=is_problem,
                always=self._always(),
                decisions=self._decisions,
                request_id=context.request_id,
                is_kept_alive=self._request.is_kept_alive,
            )
        )
