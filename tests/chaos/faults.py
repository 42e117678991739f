"""Begins and ends each kind of fault. Every fault that begins here also ends here."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable

import httpx
from redis import Redis

from deploy.local.errors import StartFailed
from deploy.local.ports import HOST
from deploy.local.process import Process
from deploy.local.redis import RedisServer
from deploy.local.server import Server
from tests.chaos.foreign_producer import ForeignProducer
from tests.chaos.installation import Installation, Target
from tests.chaos.schedule import MAIL, TOPIC, Planned
from tests.tcp_proxy import TcpProxy

Tell = Callable[[str], None]
_REFUSALS = (
    "220:421 too busy", "MAIL:451 later", "RCPT:550 nobody of that name", "DATA:451 later", "end:452 full",
    "end:554 not here",
)  # fmt: skip
_DROPS = ("MAIL:drop", "MAIL:hang", "DATA:drop", "end:drop", "end:hang")


class Faults:
    """Makes the planned faults; `tell` gets the begin, the end and the result of each."""

    def __init__(self, installation: Installation, tell: Tell) -> None:
        self.problems: list[str] = []
        """Processes that ended by themselves, or with an error after SIGTERM."""
        self._installation = installation
        self._tell = tell
        self._stranger = ForeignProducer(installation)

    async def carry_out(self, fault: Planned) -> None:
        """Make a fault from its beginning to its end. Faults of one target are made one after the other."""
        if fault.target == TOPIC:
            self._tell(str(fault))
            told = await asyncio.to_thread(self._stranger.produce_again, fault.kind, fault.seed)
            self._tell(f"#{fault.number} {told}")
        elif fault.target == MAIL:
            await self._on_the_mail_server(fault)
        elif ">" in fault.target:
            self._tell(str(fault))
            await self._on_a_link(fault, self._installation.proxies[fault.target])
        else:
            target = self._installation.targets[fault.target]
            async with target.turn:
                self._tell(str(fault))
                await self._on_a_target(fault, target)

    async def _on_a_link(self, fault: Planned, proxy: TcpProxy) -> None:
        match fault.kind:
            case "cut":
                proxy.cut()
            case "cut-request":
                proxy.cuts_at_request = True
            case "cut-answer":
                proxy.cuts_at_answer = True
            case _:
                proxy.stall()
                await asyncio.sleep(fault.hold)
                if fault.seed % 2:
                    proxy.cut()  # half of the time nothing of what was said arrives after all
                proxy.flow()
                self._over(fault)

    async def _on_the_mail_server(self, fault: Planned) -> None:
        mail = self._installation.mail
        if fault.kind == "mail-kill":
            self._tell(str(fault))
            await mail.stop()
            await asyncio.sleep(fault.hold)
            await mail.start()
        else:
            behaviours = _REFUSALS if fault.kind == "mail-refuse" else _DROPS
            behaviour = behaviours[fault.seed % len(behaviours)]
            self._tell(f"{fault}: {behaviour}")
            mail.behave(behaviour)
            await asyncio.sleep(fault.hold)
            mail.behave("accept")
        self._over(fault)

    async def _on_a_target(self, fault: Planned, target: Target) -> None:
        action = fault.kind.rsplit("-", 1)[-1]
        server = target.server
        match action:
            case "kill":
                target.is_meant_to_run = False
                await asyncio.to_thread(server.kill)
                await self._bring_back_after(fault, target)
            case "restart" | "stop" if action == "restart" or fault.target == "kafka":
                target.is_meant_to_run = False
                hears = await asyncio.to_thread(_hears_signals, server)
                await asyncio.to_thread(server.stop)
                self._look_at_exit(target, hears)
                await self._bring_back_after(fault, target)
            case "stop" | "pause" | "zombie":
                server.pause()
                if action == "zombie":
                    await self._cut_all_links(fault.target)
                await asyncio.sleep(fault.hold)
                server.resume()
                self._over(fault)
            case "flush":
                await asyncio.to_thread(self._flush)
            case "older":
                await self._go_back_after(fault, target)
            case _:
                raise AssertionError(f"there is no code for the fault {fault}")

    async def _bring_back_after(self, fault: Planned, target: Target) -> None:
        await asyncio.sleep(fault.hold)
        await target.bring_back()
        self._over(fault)

    async def _go_back_after(self, fault: Planned, target: Target) -> None:
        """Redis writes its append-only file with each command, so that a copy has what was written so far."""
        server = target.server
        assert isinstance(server, RedisServer)
        file = server.data_dir / "appendonly.aof"
        older = await asyncio.to_thread(file.read_bytes)
        await asyncio.sleep(fault.hold)
        target.is_meant_to_run = False
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(file.write_bytes, older)
        await target.bring_back()
        self._over(fault)

    def _look_at_exit(self, target: Target, hears: bool) -> None:
        """Servers have exit codes of their own. Our processes must end with 0 after SIGTERM; only a process
        that is not ready yet may die of it, because it holds no resources.
        """
        server = target.server
        is_well = server.exit_code == 0 or (server.exit_code == -signal.SIGTERM and not hears)
        if server.name in self._installation.processes and not is_well:
            self.problems.append(f"{server.name} got SIGTERM and ended with exit code {server.exit_code}")

    async def _cut_all_links(self, process: str) -> None:
        for link, proxy in self._installation.proxies.items():
            if link.startswith(f"{process}>"):
                proxy.cut()

    def _flush(self) -> None:
        with Redis.from_url(self._installation.redis_url) as redis:
            redis.flushall()

    def _over(self, fault: Planned) -> None:
        self._tell(f"#{fault.number} over")

    async def bring_back_what_ended_by_itself(self) -> None:
        """A process that was not killed must survive every other fault: if it ends, that is a defect."""
        for name, target in self._installation.processes.items():
            async with target.turn:
                if target.is_meant_to_run and target.server.pid is None:
                    code = target.server.exit_code
                    problem = f"{name} ended by itself with exit code {code}: {target.server.log_tail()}"
                    self.problems.append(problem)
                    self._tell(problem)
                    await target.bring_back()

    async def heal(self) -> None:
        """Make everything run, connected and ready again, whatever state the faults left."""
        for proxy in self._installation.proxies.values():
            proxy.cuts_at_request = proxy.cuts_at_answer = False
            proxy.flow()
        self._installation.mail.behave("accept")
        targets = self._installation.targets
        servers = [targets[name] for name in ("postgres", "redis", "kafka")]
        await _each(servers, lambda target: asyncio.to_thread(target.server.ensure_running))
        await _each([*self._installation.processes.values()], self._must_get_ready)

    async def _must_get_ready(self, target: Target) -> None:
        """Wait until a process is ready; with all servers back it must become so."""
        try:
            await asyncio.to_thread(target.server.ensure_running)
        except StartFailed as error:
            assert isinstance(target.server, Process)
            problem = f"{target.server.name} is not ready: {await _readiness(target.server)}\n    {error}"
            self.problems.append(problem)
            self._tell(problem)


def _hears_signals(server: Server) -> bool:
    """A process of ours opens its operations port after that."""
    if not isinstance(server, Process):
        return False
    try:
        socket.create_connection((HOST, server.ops_port), timeout=1).close()
    except OSError:
        return False
    return True


async def _readiness(process: Process) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        try:
            answer = await client.get(f"http://{HOST}:{process.ops_port}/readyz")
        except httpx.TransportError as error:
            return repr(error)
        return answer.text


async def _each(targets: list[Target], act: Callable[[Target], Awaitable[None]]) -> None:
    async def in_turn(target: Target) -> None:
        async with target.turn:
            await act(target)

    await asyncio.gather(*(in_turn(target) for target in targets))
