"""The jars of an OpenSearch server, in the folders that it expects: the server and its HTTP transport.

The index uses what is in the server itself: no plugin for analysis, scripts or ingestion is needed, and so
there is none. `x-content`, Lucene and the like come with the server.
"""

import shutil
from pathlib import Path

from deploy.local.cache import fill_once, sha256_of
from deploy.local.maven import Jars
from deploy.local.server import Progress
from deploy.local.unprivileged import is_reachable, outside_home

VERSION = "3.9.0"
_SERVER = (
    "org.opensearch:opensearch", "org.opensearch:opensearch-agent-bootstrap",
    "org.opensearch:opensearch-plugin-classloader", "org.opensearch.plugin:transport-netty4-client",
)  # fmt: skip
_LOG4J = "org.apache.logging.log4j:log4j-core:2.25.4"
_JARS = Jars(
    "OpenSearch",
    "+".join([*(f"{each}:{VERSION}" for each in _SERVER), _LOG4J]),
    Path(__file__).with_name("opensearch_jars.sha256"),
    68,
    "set OPENSEARCH_URL to your own server",
)
# The server loads modules by themselves, and refuses a class that is in its own folder, too.
_MODULE = "transport-netty4"
_OF_MODULE = ("netty-", "opensearch-netty4-", "transport-netty4-")
_DESCRIPTOR = f"""\
name={_MODULE}
description=HTTP and transport
version={VERSION}
opensearch.version={VERSION}
java.version=21
classname=org.opensearch.transport.Netty4ModulePlugin
extended.plugins=
has.native.controller=false
"""


def opensearch_home(progress: Progress) -> Path:
    """The folder with `lib` and `modules`, where another user can read it. Raises ProgramMissing."""
    jars = _JARS.paths(progress)
    wanted = _JARS.folder / f"home-{sha256_of(_JARS.hashes)[:16]}"
    home = wanted if is_reachable(_JARS.folder) else outside_home(wanted)

    def fill() -> None:
        module = home / "modules" / _MODULE
        # It looks for each of them, also for those that it does not use.
        for folder in (module, home / "lib", home / "plugins", home / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        for jar in jars:
            shutil.copy(jar, module if jar.name.startswith(_OF_MODULE) else home / "lib")
        (module / "plugin-descriptor.properties").write_text(_DESCRIPTOR)

    fill_once(home, fill)
    return home
