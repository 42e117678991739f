"""A product from its first line to its history, by clients generated from the two OpenAPI documents."""

import sys
import uuid
from http import HTTPStatus

from catalogue_commands import Client as Commands
from catalogue_commands.api.products import change_price, create_product, publish_product, run_batch
from catalogue_commands.models import (
    BatchResult,
    MoneyIn,
    PriceOperation,
    Problem,
    ProductIn,
    Result,
    StatusOperation,
    StatusOperationOp,
    VariantIn,
)
from catalogue_reading import Client as Reading
from catalogue_reading.api.events import list_events
from catalogue_reading.api.products import get_product, get_product_history, list_products
from catalogue_reading.models import (
    EventPage,
    FacetValue,
    HistoryPage,
    Product,
    ProductPage,
    ProductPageFacets,
)

WAIT = "wait=10"


def main(command_url: str, query_url: str) -> None:
    commands, reading = Commands(base_url=command_url), Reading(base_url=query_url)
    brand = f"Coast {uuid.uuid4().hex[:8]}"
    sku = f"A/B ä #{uuid.uuid4().hex[:8]}"
    product = ProductIn(
        name="Linen Shirt",
        brand=brand,
        variants=[VariantIn(sku=sku, price=MoneyIn(amount="59.00", currency="EUR"))],
    )

    created = create_product.sync_detailed(client=commands, body=product, idempotency_key=uuid.uuid4().hex)
    assert isinstance(created.parsed, Result)
    product_id = created.parsed.id
    publish_product.sync(product_id, client=commands)
    cheaper = MoneyIn(amount="49.00", currency="EUR")
    changed = change_price.sync_detailed(product_id, sku, client=commands, body=cheaper)
    assert isinstance(changed.parsed, Result)
    token = changed.headers["Consistency-Token"]  # the reads below see all of this

    read = get_product.sync(product_id, client=reading, consistency_token=token, prefer=WAIT)
    assert isinstance(read, Product)
    assert (read.version, read.status, read.variants[0].price.amount) == (3, "active", "49.00")

    page = list_products.sync(
        client=reading, brand=brand, facets="brand", with_total=True, consistency_token=token, prefer=WAIT
    )
    assert isinstance(page, ProductPage)
    assert isinstance(page.facets, ProductPageFacets)
    assert page.total == 1
    facet = page.facets["brand"][0]
    assert isinstance(facet, FacetValue)
    assert (facet.value, facet.count) == (brand, 1)

    history = get_product_history.sync(product_id, client=reading)
    assert isinstance(history, HistoryPage)
    types = [item.type_ for item in history.items]
    assert types == ["product-price-changed", "product-published", "product-created"]

    events = list_events.sync(client=reading, after="0", product_id=product_id, limit=10)
    assert isinstance(events, EventPage)
    assert [event.type_ for event in events.items] == types[::-1]
    assert events.items[-1].data["sku"] == sku

    refused = create_product.sync_detailed(client=commands, body=product)
    assert refused.status_code == HTTPStatus.CONFLICT
    assert isinstance(refused.parsed, Problem)
    assert refused.parsed.code == "sku-taken"
    assert refused.parsed.conflicts
    assert refused.parsed.conflicts[0].product_id == product_id

    cheapest = MoneyIn(amount="39.00", currency="EUR")
    batch = run_batch.sync(
        client=commands,
        body=[
            PriceOperation(op="price", id=product_id, sku=sku, price=cheapest),
            StatusOperation(op=StatusOperationOp.RESTORE, id=uuid.uuid4()),
        ],
    )
    assert isinstance(batch, BatchResult)
    done, missing = batch.results
    assert (done.status, done.version) == (200, 4)
    assert isinstance(missing.problem, Problem)
    print(f"{product_id}: {', '.join(types)}; refused: {refused.parsed.code}, {missing.problem.code}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
