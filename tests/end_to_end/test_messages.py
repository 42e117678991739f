"""The topics as other systems see them, read by a foreign client, and one id through all logs."""

import asyncio
import json
from datetime import datetime

import pytest

from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.evidence import VIEWS
from tests.end_to_end.kafka_topics import Published, Topics
from tests.end_to_end.system import System
from tests.eventually import eventually

pytestmark = pytest.mark.servers
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


async def records_of(system: System, kind: str, product_id: str, count: int) -> list[Published]:
    """The records of one product, as soon as there are so many."""
    topics = Topics(system.servers.kafka.bootstrap_servers, system.prefix)

    async def so_many() -> list[Published]:
        records = [one for one in await asyncio.to_thread(topics.read, kind) if one.key == product_id]
        assert len(records) == count
        return records

    return await eventually(so_many)


async def test_every_event_goes_to_products_events_and_to_the_topic_of_its_kind(
    system: System, catalogue: Catalogue
) -> None:
    sku, price = unique("sku"), {"amount": "12.50", "currency": "USD"}
    created = await catalogue.create(name=unique("Told"), variants=[variant(sku)])
    path = f"/v1/products/{created['id']}"
    await catalogue.write("PATCH", path, {"brand": None, "name": "Told again"})
    await catalogue.write("PUT", f"{path}/variants/{sku}-2", {"price": price})
    await catalogue.write("PUT", f"{path}/variants/{sku}-2", {"price": price, "weight_grams": 7})
    await catalogue.write("DELETE", f"{path}/variants/{sku}-2")
    await catalogue.write("PUT", f"{path}/variants/{sku}/price", price)
    for move in ("publish", "archive", "restore"):
        await catalogue.write("POST", f"{path}/{move}")
    await catalogue.write("DELETE", path)
    records = await records_of(system, "events", created["id"], 10)
    assert [(one.headers["ce_streamversion"], one.headers["ce_type"]) for one in records] == [
        ("1", "product-created"),
        ("2", "product-details-changed"),
        ("3", "product-variant-added"),
        ("4", "product-variant-changed"),
        ("5", "product-variant-removed"),
        ("6", "product-price-changed"),
        ("7", "product-published"),
        ("8", "product-archived"),
        ("9", "product-restored"),
        ("10", "product-deleted"),
    ]
    data = [json.loads(one.value or b"") for one in records]
    assert data[1] == {"name": "Told again"}
    assert data[2]["sku"] == f"{sku}-2"
    assert data[4] == {"sku": f"{sku}-2"}
    previous = {"amount": "50.00", "currency": "USD"}
    assert data[5] == {"sku": sku, "price": price, "previous_price": previous}
    assert data[6:] == [{}, {}, {}, {}]
    for kind, part in (("created", records[:1]), ("updated", records[1:9]), ("deleted", records[9:])):
        told = await records_of(system, kind, created["id"], len(part))
        assert [(one.value, one.headers) for one in told] == [(one.value, one.headers) for one in part]


async def test_a_record_is_a_cloud_event_with_the_headers_of_the_contract(
    system: System, catalogue: Catalogue
) -> None:
    request_id = unique("request")
    body = {"name": unique("Event"), "variants": [variant(unique("sku"))]}
    traceparent = f"00-{TRACE_ID}-b7ad6b7169203331-01"
    answer = await catalogue.write(
        "POST", "/v1/products", body, x_request_id=request_id, traceparent=traceparent
    )
    product_id = answer.json()["id"]
    (record,) = await records_of(system, "events", product_id, 1)
    headers = dict(record.headers)
    trace = headers.pop("traceparent").split("-")
    assert (trace[1], trace[2] != "b7ad6b7169203331") == (TRACE_ID, True)
    log_id = system.servers.postgres.run_sql(
        "SELECT log_id FROM catalogue.event_log", system.event_store.name
    )
    seen_at = datetime.fromisoformat(headers["ce_time"])
    assert headers.pop("ce_time").endswith("Z")
    assert int(headers.pop("ce_position")) > 0
    assert headers.pop("ce_id") != headers.pop("ce_causationid")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_type": "product-created",
        "ce_source": "/products",
        "ce_subject": product_id,
        "ce_streamversion": "1",
        "ce_schemaversion": "2",
        "ce_correlationid": request_id,
        "correlation_id": request_id,
        "ce_logid": log_id.strip(),
        "content-type": "application/json",
    }
    product = await catalogue.product(product_id)
    assert datetime.fromisoformat(product["created_at"]) == seen_at


async def test_an_event_that_an_import_wrote_says_so_in_every_topic_and_others_do_not(
    system: System, catalogue: Catalogue
) -> None:
    import_id = unique("import")
    body = {"name": unique("Imported"), "variants": [variant(unique("sku"))]}
    answer = await catalogue.write("POST", "/v1/products", body, import_id=import_id)
    product_id = answer.json()["id"]
    await catalogue.write("POST", f"/v1/products/{product_id}/publish")
    records = await records_of(system, "events", product_id, 2)
    assert [one.headers.get("ce_importid") for one in records] == [import_id, None]
    (created,) = await records_of(system, "created", product_id, 1)
    assert created.headers["ce_importid"] == import_id


async def test_every_topic_has_the_promised_partitions(system: System, catalogue: Catalogue) -> None:
    created = await catalogue.create(name=unique("Topics"), variants=[variant(unique("sku"))])
    await records_of(system, "events", created["id"], 1)
    topics = Topics(system.servers.kafka.bootstrap_servers, system.prefix)
    ends = await asyncio.to_thread(topics.end_offsets)
    wanted = {
        (topics.name(kind), n) for kind in ("events", "created", "updated", "deleted") for n in range(12)
    }
    assert ends.keys() == wanted


async def test_a_request_id_leads_from_the_answer_through_the_logs_of_both_sides(
    system: System, catalogue: Catalogue
) -> None:
    request_id = unique("request")
    body = {"name": unique("Traced"), "variants": [variant(unique("sku"))]}
    answer = await catalogue.write("POST", "/v1/products", body, x_request_id=request_id)
    assert answer.headers["x-request-id"] == request_id
    product_id = answer.json()["id"]
    (record,) = await records_of(system, "events", product_id, 1)
    assert record.headers["ce_correlationid"] == request_id
    (line,) = [line for line in system.log_of(system.command_api) if line.get("request_id") == request_id]
    assert (line["event"], line["method"], line["status"]) == ("request", "POST", 201)

    def every_view_has_told() -> None:
        told = {
            line["projection"]
            for line in system.log_of(system.projector)
            if request_id in line.get("correlation_ids", [])
        }
        assert told >= {name for name, view in VIEWS.items() if view.PROJECTION is not None}

    await eventually(every_view_has_told)


async def test_without_a_request_id_one_is_made_and_used_throughout(
    system: System, catalogue: Catalogue
) -> None:
    body = {"name": unique("Named"), "variants": [variant(unique("sku"))]}
    answer = await catalogue.write("POST", "/v1/products", body)
    (record,) = await records_of(system, "events", answer.json()["id"], 1)
    assert record.headers["ce_correlationid"] == answer.headers["x-request-id"]
