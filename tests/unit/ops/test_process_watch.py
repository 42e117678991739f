"""What each process measures of itself: garbage collections and certificates."""

import asyncio
import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from prometheus_client import REGISTRY

from shared.ops.certificates import certificate_measurements, first_expiry
from shared.ops.garbage_watch import watch_garbage
from shared.ops.health import Health
from shared.ops.settings import ProcessSettings
from shared.ops.watch import watch_process
from tests.counters import counted
from tests.eventually import eventually

SOON, LATE = datetime(2031, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)


def _pem(*expire: datetime) -> bytes:
    authority = trustme.CA()
    return b"".join(
        authority.issue_cert("localhost", not_after=at).cert_chain_pems[0].bytes() for at in expire
    )


async def test_each_collection_is_counted_with_its_generation() -> None:
    stop, before = asyncio.Event(), counted("garbage_collection_seconds_count", generation="2")
    watching = asyncio.create_task(watch_garbage(stop))

    def collected() -> None:
        gc.collect()
        assert counted("garbage_collection_seconds_count", generation="2") > before

    await eventually(collected)
    callbacks = len(gc.callbacks)
    stop.set()
    await watching
    assert len(gc.callbacks) == callbacks - 1


def test_of_several_certificates_the_first_to_expire_counts() -> None:
    assert first_expiry(_pem(LATE, SOON)) == SOON.timestamp()
    with pytest.raises(ValueError, match=r"PEM|certificate"):
        first_expiry(b"no certificate")


async def test_the_files_of_the_settings_are_exported_and_an_unreadable_one_hides_no_other(
    tmp_path: Path,
) -> None:
    good, missing = tmp_path / "good.pem", tmp_path / "missing.pem"
    good.write_bytes(_pem(SOON))
    settings = ProcessSettings(_env_file=None, certificate_files=(str(missing), str(good)))
    stop = asyncio.Event()
    watching = asyncio.create_task(watch_process(stop, settings, Health("relay")))

    def exported() -> None:
        expiry = {"file": str(good)}
        assert REGISTRY.get_sample_value("certificate_expiry_timestamp_seconds", expiry) == SOON.timestamp()
        assert counted("measurement_failures_total", measurement=f"certificate {missing}") == 1

    await eventually(exported)
    stop.set()
    await watching


def test_certificates_are_a_setting_of_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTIFICATE_FILES", '["/a.pem", "/b.pem"]')
    files = ProcessSettings(_env_file=None).certificate_files
    assert [one.name for one in certificate_measurements(files)] == [
        "certificate /a.pem",
        "certificate /b.pem",
    ]
