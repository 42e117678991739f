"""Policies about jobs: of a release, of each night, and those that an operator makes for one command."""

from collections.abc import Iterable, Iterator, Sequence

from projector.operators.command_line.rebuild import DIFFERS
from projector.operators.command_line.session import USAGE
from projector.rebuild.workers import DEFAULT_WORKERS_MAX
from tests.deploy.capacity_rules import amount
from tests.deploy.config_rules import environments
from tests.deploy.kustomization import Manifest
from tests.deploy.processes import FINISHING, OF_COMPONENTS, ON_DEMAND, SCHEDULED, default_of
from tests.deploy.workload_rules import of_kind, stem

_DAY_SECONDS = 86_400
# More than anybody makes by hand.
_JOBS_A_DAY = 50
_ACCESS = ("AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_KEYS_FILE", "AUTH_PUBLIC_KEYS")
# After them another attempt would only say the same.
_FINAL_CODES = {"verify": {USAGE, DIFFERS}, "archive-log": {USAGE}}
# Of a process of a rebuild: without products, and for each one that it holds (projector/settings.py).
_PROCESS_BYTES, _PRODUCT_BYTES = 100 * 2**20, 2_500


def schedules(objects: Sequence[Manifest]) -> Iterator[str]:
    """A scheduled job never runs beside itself, ends, and repeats nothing in vain."""
    for name, spec in _cron_jobs(objects, (*SCHEDULED, *OF_COMPONENTS)):
        job = spec["jobTemplate"]["spec"]
        (container,) = job["template"]["spec"]["containers"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield f"{name}: may run beside itself"
        if spec.get("timeZone") != "Etc/UTC":
            yield f"{name}: its hour depends on the cluster"
        if not 0 < job.get("activeDeadlineSeconds", 0) < _DAY_SECONDS:
            yield f"{name}: may run until the next one"
        rules = job.get("podFailurePolicy", {}).get("rules", [])
        final = {
            code for rule in rules if rule["action"] == "FailJob" for code in rule["onExitCodes"]["values"]
        }
        if final != _FINAL_CODES[name]:
            yield f"{name}: exit codes {sorted(final)} end it"
        if any(rule["onExitCodes"].get("containerName") != container["name"] for rule in rules):
            yield f"{name}: watches another container"


def migrations(objects: Sequence[Manifest]) -> Iterator[str]:
    """What a release adds comes by itself; what it removes waits until a person lets it go."""
    for one in of_kind(objects, "Job"):
        spec, name = one["spec"], stem(one)
        (container,) = spec["template"]["spec"]["containers"]
        phase = "after" if name in FINISHING else "before"
        if container["args"] != ["migrate", "--phase", phase]:
            yield f"{name}: runs {container['args']}"
        if spec.get("suspend", False) is not (name in FINISHING):
            yield f"{name}: is{'' if spec.get('suspend') else ' not'} suspended"


def on_demand(objects: Sequence[Manifest]) -> Iterator[str]:
    """It never starts by itself, runs once, ends and vanishes by itself, and asks nobody for a token."""
    given = environments(objects)
    for name, spec in _cron_jobs(objects, ON_DEMAND):
        job = spec["jobTemplate"]["spec"]
        if spec.get("suspend") is not True:
            yield f"{name}: starts by itself"
        if job.get("backoffLimit") != 0:
            yield f"{name}: repeats what a person has to decide about"
        if not 0 < job.get("activeDeadlineSeconds", 0) <= _DAY_SECONDS or not job.get(
            "ttlSecondsAfterFinished"
        ):
            yield f"{name}: stays for ever"
        if min(spec.get(f"{end}JobsHistoryLimit", 1) for end in ("successful", "failed")) < _JOBS_A_DAY:
            yield f"{name}: jobs vanish with their logs before a person has read them"
        yield from (
            f"{name}: {setting} is not cleared" for setting in _ACCESS if given[name].get(setting) != ""
        )


def room_for_a_rebuild(objects: Sequence[Manifest]) -> Iterator[str]:
    """The pod in which an operator rebuilds has room for the parent and the usual number of full workers."""
    for name, spec in _cron_jobs(objects, ["operator"]):
        (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        setting = "REBUILD_PRODUCTS_IN_MEMORY_MAX"
        products = int(environments(objects)[name].get(setting) or str(default_of(name, setting)))
        needed = _PROCESS_BYTES + DEFAULT_WORKERS_MAX * (_PROCESS_BYTES + products * _PRODUCT_BYTES)
        if amount(container["resources"]["limits"]["memory"]) < needed:
            yield f"{name}: a rebuild needs {needed / 2**30:.1f} GiB"


def _cron_jobs(objects: Sequence[Manifest], names: Iterable[str]) -> Iterator[tuple[str, Manifest]]:
    for one in of_kind(objects, "CronJob"):
        if one["metadata"]["name"] in names:
            yield one["metadata"]["name"], one["spec"]
