"""The projection process of the peer `eventsourcing`: its runner, until SIGTERM."""

import signal
from typing import Any

from eventsourcing.projection import ProjectionRunner

from tests.benchmarks.eventsourcing_products import ProductProjection, ProductRows, Products


def main() -> None:
    """A failed projection ends the process with its error."""
    with ProjectionRunner(
        application_class=Products, projection_class=ProductProjection, view_class=ProductRows
    ) as runner:

        def stop(*_: Any) -> None:
            runner.stop()

        signal.signal(signal.SIGTERM, stop)
        runner.run_forever()


if __name__ == "__main__":
    main()
