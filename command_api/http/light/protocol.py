"""The light path: single commands answered in the HTTP protocol, before the framework.

The framework and the layers around it cost a command more than its execution. So a request that is one of the
endpoints of single commands, whose head and body arrive together and have nothing unusual, is worked on in a
task of its own, and its answer is written once. Every other request, and every one that is refused before its
command is executed, becomes an ordinary request of the application: the same refusals, made in one place. One
test suite runs over both. The reasons are in docs/decisions/0048-single-commands-before-the-framework.md.
"""

from typing import Any

from command_api.http.light.head import LightRequest
from command_api.http.light.parts import LightParts
from command_api.http.light.work import LightWork
from shared.access.http.bearer import known_caller
from shared.ops.http.early_answers import EarlyAnswersProtocol
from shared.ops.overload.place import PLACE, Place


class LightCommandProtocol(EarlyAnswersProtocol):
    """One connection; a light request is its early one."""

    early: LightRequest | None

    def __init__(self, parts: LightParts, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._parts = parts
        self._held = b""

    def data_received(self, data: bytes) -> None:
        """What arrives while a command is executed waits for its answer, and so does who sends it."""
        if self.early is None:
            super().data_received(data)
        elif not self.is_deaf:
            self._held += data
            self.flow.pause_reading()

    def on_headers_complete(self) -> None:
        """Begin a light request, or make an ordinary one."""
        version = self.check_head()
        request = self._plain_request() if version == "1.1" and self.is_idle() else None
        if request is None:
            self.make_request()
        else:
            self.early = request
            self.count_head()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if self.early is None:
            super().on_body(body)
        else:
            self.early.body += body

    def on_message_complete(self) -> None:
        """The request is whole. Whether another one follows is known when this read is parsed."""
        if self.early is None:
            super().on_message_complete()
        else:
            self.early.is_whole = True
            self.count_body()

    def _feed(self, data: bytes) -> None:
        super()._feed(data)
        request = self.early
        if request is None:
            return
        if not request.is_whole:
            self.hand_over()
            return
        if self.is_leaving:
            request.is_kept_alive = False
        task = self.loop.create_task(self._work(request))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _plain_request(self) -> LightRequest | None:
        """None: it is another request, or an unusual one, or its caller is not known yet."""
        method = self.parser.get_method()
        found = self._parts.addresses.find(method, self.url)
        if found is None:
            return None
        request = LightRequest(self.parser, self.scope, self.headers, method, found)
        if not request.is_plain:
            return None
        if self._parts.guard is not None:
            request.caller = known_caller(self._parts.guard, self.headers)
            if request.caller is None or not request.caller.may(found.endpoint.needs):
                return None
        return request

    async def _work(self, request: LightRequest) -> None:
        work = LightWork(
            self._parts, self.load, request, lambda: self.server_state.default_headers, self._send
        )
        if not await work.run():
            self.hand_over()
            self._go_on()

    def _send(self, answer: bytes) -> None:
        request, self.early = self.early, None
        if request is None or self.transport.is_closing():
            return
        self.write_answer(request, answer)
        self._go_on()

    def _go_on(self) -> None:
        """Read what has arrived meanwhile."""
        if not self._held:
            return
        held, self._held = self._held, b""
        self.flow.resume_reading()
        self.data_received(held)

    def hand_over(self) -> None:
        request, self.early = self.early, None
        if self.transport.is_closing():
            place: Place | None = self.scope.pop(PLACE, None)  # type: ignore[misc]
            if place is not None:
                place.leave()
            return
        assert request is not None
        with self.as_parsed(request):
            self.make_request()
            if request.body:
                super().on_body(request.body)
            if request.is_whole:
                super().on_message_complete()
