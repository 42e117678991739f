"""What every process measures of itself: its event loop, garbage collector and certificates, and more."""

import asyncio
from collections.abc import Sequence

from shared.ops.certificates import certificate_measurements
from shared.ops.event_loop_watch import watch_event_loop
from shared.ops.garbage_watch import watch_garbage
from shared.ops.health import Health
from shared.ops.measuring import Measurement, measure
from shared.ops.settings import ProcessSettings


async def watch_process(
    stop: asyncio.Event, settings: ProcessSettings, health: Health, measurements: Sequence[Measurement] = ()
) -> None:
    """Until `stop`; `measurements` are those of this process alone."""
    all_of_them = [*measurements, *certificate_measurements(settings.certificate_files)]
    await asyncio.gather(
        watch_event_loop(stop), watch_garbage(stop), measure(stop, all_of_them), health.watch(stop)
    )
