"""`python -m query_api export`: a whole file, or the one of before and an exit code that says so."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from query_api.export.cli import add_export_arguments, export
from shared.contract.views import ProductDocument, encode_document
from tests.command_line import Ended, run_in_process
from tests.eventually import eventually
from tests.integration.query_world import World, product, shared_installation, world

__all__ = ["shared_installation", "world"]


def _parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_export_arguments(parser)
    return parser.parse_args(arguments)


async def _run(port: int, *arguments: str) -> Ended:
    return await run_in_process({"QUERY_PORT": str(port)}, lambda: _parsed(*arguments), export)


def _lines(documents: list[ProductDocument]) -> bytes:
    ordered = sorted(documents, key=lambda one: one.id)
    return b"".join(encode_document(one) + b"\n" for one in ordered)


async def test_the_catalogue_is_saved_and_told_about(world: World, tmp_path: Path) -> None:
    documents = [product() for _ in range(3)]
    for one in (*documents, product(status="draft")):
        await world.store(one)
    file = tmp_path / "products.ndjson"
    ended = await _run(world.port, "--output", str(file), "--json")
    assert (ended.code, ended.errors) == (0, "")
    assert file.read_bytes() == _lines(documents)
    assert json.loads(ended.output) == {
        "products": 3, "bytes": file.stat().st_size, "log_position": 0, "file": str(file),
    }  # fmt: skip
    umask = os.umask(0)
    os.umask(umask)
    assert file.stat().st_mode & 0o777 == 0o666 & ~umask
    ended = await _run(world.port, "--output", str(file), "--format", "csv", "--status", "draft")
    assert (ended.code, ended.output.startswith("exported: 1 products, ")) == (0, True)
    assert file.read_bytes().startswith(b"Handle,Title,")
    assert list(tmp_path.iterdir()) == [file]


async def test_without_a_file_the_catalogue_is_on_standard_output(world: World) -> None:
    one = product()
    await world.store(one)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "query_api", "export", "--url", f"http://127.0.0.1:{world.port}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert (process.returncode, said) == (0, _lines([one])), complained
    assert b"exported: 1 products" in complained


async def test_a_refusal_a_stopped_api_and_a_wrong_folder_are_named(world: World, tmp_path: Path) -> None:
    file = str(tmp_path / "products.ndjson")
    for arguments, port, said in (
        (("--output", file, "--status", "sold"), world.port, "400 Bad Request: invalid-parameter: status"),
        (("--output", file), free_port(), "is it running?"),
        (("--output", str(tmp_path / "absent" / "file")), world.port, "No such file or directory"),
    ):
        ended = await _run(port, *arguments)
        assert (ended.code, ended.output) == (1, "")
        assert ended.errors.startswith("export failed: ")
        assert said in ended.errors
    assert list(tmp_path.iterdir()) == []


async def test_a_wrong_argument_is_wrong_usage(tmp_path: Path) -> None:
    for arguments in (("--format", "xml"), ("--url", "ftp://api"), ("file",)):
        assert (await _run(8001, *arguments)).code == 2


HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nlog-position: 7\r\nproduct-count: 2\r\n"
    b"transfer-encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
)


@asynccontextmanager
async def _answering(rest: bytes | None) -> AsyncIterator[int]:
    """The port of a server whose export begins with one line, and goes on with `rest`; None: never."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + (rest or b""))
        await writer.drain()
        if rest is None:
            await over.wait()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            over.set()


@pytest.mark.parametrize(
    ("rest", "said"),
    [(b"", "the export was cut off"), (b"0\r\n\r\n", "1 products came, and not 2: run it again")],
)
async def test_an_export_that_is_not_whole_leaves_the_file_of_before(
    tmp_path: Path, rest: bytes, said: str
) -> None:
    file = tmp_path / "products.ndjson"
    file.write_text("before")
    async with _answering(rest) as port:
        ended = await _run(port, "--output", str(file))
    assert (ended.code, ended.output) == (1, "")
    assert said in ended.errors
    assert (list(tmp_path.iterdir()), file.read_text()) == ([file], "before")


async def test_an_interrupted_export_leaves_nothing_behind(tmp_path: Path) -> None:
    async with _answering(None) as port:
        running = asyncio.create_task(_run(port, "--output", str(tmp_path / "products.ndjson")))

        async def assertion() -> None:
            assert list(tmp_path.iterdir())

        await eventually(assertion, seconds_max=20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (running.cancelled(), list(tmp_path.iterdir())) == (True, [])
