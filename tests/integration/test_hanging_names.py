"""While DNS hangs each process says what it waits for, and a SIGTERM still ends it.

The thread in which a name is looked up (getaddrinfo) cannot be cancelled, and the event loop's close waits
for it: half a minute and more for each name, until Kubernetes kills the process.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.started_processes import PROGRAMS, Installation, started
from tests.servers import DatabaseDsns

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="a C compiler makes the library that hangs")
HANGING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct addrinfo info;
typedef int lookup(const char *, const char *, const info *, info **);

int getaddrinfo(const char *name, const char *service, const info *hints, info **found) {
    if (name && strstr(name, ".hangs") && getenv("HUNG")) write(2, "a name hangs\\n", 13);
    while (name && strstr(name, ".hangs")) pause();
    return ((lookup *) dlsym(RTLD_NEXT, "getaddrinfo"))(name, service, hints, found);
}
"""
DSN = "postgresql://user:password@postgres.hangs/database"
STORE = DatabaseDsns("database", owner=DSN, writer=DSN, log_reader=DSN, projector=DSN, reader=DSN)
NOWHERE = Installation(STORE, STORE, "redis://redis.hangs:6379/0", "kafka.hangs:9092", "")
ENDS_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def hanging_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library for LD_PRELOAD."""
    folder = tmp_path_factory.mktemp("hanging_names")
    source, library = folder / "hanging.c", folder / "hanging.so"
    source.write_text(HANGING)
    assert COMPILER is not None
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_process_whose_names_hang_says_so_and_ends_when_it_is_told_to(
    hanging_names: Path, name: str
) -> None:
    program = PROGRAMS[name]
    async with started(program, NOWHERE, LD_PRELOAD=str(hanging_names)) as one:
        for database in program.databases:
            await one.waits_for(database, "no answer within 2 s")
        one.process.terminate()
        async with asyncio.timeout(ENDS_SECONDS_MAX):
            assert await one.process.wait() == 0


async def said_when_it_was_told_to_end(library: Path, *arguments: str, **environment: str) -> bytes:
    """What a command, which hangs at a name, writes to its standard error between SIGTERM and its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment, "HUNG": "1", "LD_PRELOAD": str(library)},
    )  # fmt: skip
    assert process.stderr is not None
    assert await process.stderr.readline() == b"a name hangs\n"
    process.terminate()
    async with asyncio.timeout(ENDS_SECONDS_MAX):
        _, said = await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    return said


@pytest.mark.parametrize("command", ["migrate", "status"])
async def test_a_command_of_the_projector_whose_names_hang_ends_when_it_is_told_to(
    hanging_names: Path, command: str
) -> None:
    addresses = {"READ_MODEL_MIGRATE_DSN": DSN, "READ_MODEL_DSN": DSN}
    said = await said_when_it_was_told_to_end(hanging_names, "projector", command, **addresses)
    assert b"stopped by SIGTERM" in said


@pytest.mark.parametrize("command", ["import", "seed"])
async def test_an_import_whose_names_hang_ends_when_it_is_told_to(
    hanging_names: Path, tmp_path: Path, command: str
) -> None:
    catalogue = tmp_path / "catalogue.ndjson"
    catalogue.write_text('{"slug": "tote", "name": "Tote", "variants": []}\n')
    source = [str(catalogue)] if command == "import" else ["--count", "1"]
    said = await said_when_it_was_told_to_end(
        hanging_names, "command_api", command, *source, "--url", "http://api.hangs"
    )
    assert b"interrupted; accepted products are kept" in said
