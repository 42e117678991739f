"""The `eventsourcing` library as its documentation uses it: an aggregate, an application, `save`.

DSN, threads, seconds -> JSON. Its PostgreSQL module is synchronous, so the clients are threads.
"""

import json
import os
import sys
import threading
import time
from urllib.parse import urlsplit


def main(dsn: str, threads: int, seconds: float) -> dict[str, float]:
    """Each thread creates products and changes their price four times, saving after each."""
    parts = urlsplit(dsn)
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": str(parts.hostname),
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": str(parts.username),
        "POSTGRES_PASSWORD": str(parts.password),
        "POSTGRES_POOL_SIZE": str(threads),
        "POSTGRES_MAX_OVERFLOW": str(threads),
    }
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Product(Aggregate):
        @event("Created")
        def __init__(self, name: str, sku: str, description: str, amount: str) -> None:
            self.name, self.sku, self.description, self.amount = name, sku, description, amount

        @event("PriceChanged")
        def change_price(self, amount: str) -> None:
            self.amount = amount

    application: Application = Application()  # type: ignore[type-arg]
    until = time.perf_counter() + seconds
    counts = [0] * threads

    def client(number: int) -> None:
        product_number = 0
        while time.perf_counter() < until:
            product_number += 1
            name = f"Ocean Blue Shirt {number}-{product_number}"
            product = Product(name, f"OBS-{number}-{product_number}", "A shirt as blue as the ocean", "50.00")
            application.save(product)
            for version in range(4):
                product.change_price(f"{45 + version}.00")
                application.save(product)
            counts[number] += 5

    workers = [threading.Thread(target=client, args=(number,)) for number in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    application.close()
    return {"rate": sum(counts) / seconds}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
