"""Every way through the system: what a writer sends to one API, a reader finds in the other."""

import unicodedata

import pytest

from tests.end_to_end.catalogue import Catalogue, segment, unique, variant
from tests.eventually import eventually

pytestmark = pytest.mark.servers
FORMS = ("/v1/products/{id}", "/v1/products/by-slug/{slug}", "/v1/products/by-sku/{sku}")


async def test_a_created_product_is_found_by_id_sku_slug_and_in_the_list(catalogue: Catalogue) -> None:
    slug, sku, brand = unique("ozean-größe"), f"{unique('A/B')} ä #1", unique("Söhne")
    answer = await catalogue.write(
        "POST",
        "/v1/products",
        {
            "name": "Ocean »Blue« 青", "slug": slug, "description": "<p>30 °C</p>", "brand": brand,
            "product_type": "Shirts", "category": "apparel/shirts", "tags": ["men", "été"],
            "attributes": {"colour": "blue", "care": {"wash": 30, "iron": False}},
            "images": [{"url": "https://example.com/1.jpg", "alt": "Front"}],
            "variants": [
                variant(sku, options={"size": "M"}, compare_at_price={"amount": "65.00", "currency": "USD"}),
                variant(f"{sku}-2", "1200", "JPY", barcode="4006381333931", weight_grams=220),
            ],
        },
    )  # fmt: skip
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"id": created["id"], "version": 1, "status": "draft", "slug": slug}
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"].endswith(f"/v1/products/{created['id']}")
    product = await catalogue.product(created["id"])
    assert {**product, "created_at": None, "updated_at": None} == {
        **created, "name": "Ocean »Blue« 青", "description": "<p>30 °C</p>", "brand": brand,
        "product_type": "Shirts", "category": "apparel/shirts", "tags": ["men", "été"],
        "attributes": {"colour": "blue", "care": {"wash": 30, "iron": False}},
        "images": [{"url": "https://example.com/1.jpg", "alt": "Front"}],
        "variants": [
            {"sku": sku, "options": {"size": "M"}, "price": {"amount": "50.00", "currency": "USD"},
             "compare_at_price": {"amount": "65.00", "currency": "USD"}, "barcode": None,
             "weight_grams": None},
            {"sku": f"{sku}-2", "options": {}, "price": {"amount": "1200", "currency": "JPY"},
             "compare_at_price": None, "barcode": "4006381333931", "weight_grams": 220},
        ],
        "created_at": None, "updated_at": None, "published_at": None,
    }  # fmt: skip
    for form in FORMS:
        found = await catalogue.read(form.format(id=created["id"], slug=segment(slug), sku=segment(sku)))
        assert (found.status_code, found.json()) == (200, product)
    listed = await catalogue.read(f"/v1/products?status=draft&brand={segment(brand)}")
    assert listed.json() == {"items": [product], "next_cursor": None}


async def test_a_product_is_found_by_both_spellings_of_its_names_and_created_once(
    catalogue: Catalogue,
) -> None:
    word = unique("হিন্দী-cafe\u0301")
    created = await catalogue.create(
        name=word,
        slug=f"{word}\u200b",
        brand=word,
        tags=[word],
        category=f"{word}/x",
        variants=[variant(word)],
    )
    composed = unicodedata.normalize("NFC", word)
    assert composed != word
    assert created["slug"] == composed
    product = await catalogue.product(created["id"])
    assert (product["name"], product["variants"][0]["sku"]) == (composed, composed)
    for name in (word, composed):
        for form in FORMS:
            answer = await catalogue.read(
                form.format(id=created["id"], slug=segment(name), sku=segment(name))
            )
            assert (answer.status_code, answer.json()) == (200, product)
        for parameter in ("brand", "tag", "category", "sku"):
            query = f"status=draft&{parameter}={segment(name)}"
            assert await catalogue.ids(query) == [created["id"]]
        for fields, code in (({"slug": name}, "slug-taken"), ({"variants": [variant(name)]}, "sku-taken")):
            other = {"name": "Other", "variants": [variant(unique("sku"))], **fields}
            answer = await catalogue.write("POST", "/v1/products", other)
            assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_the_location_of_a_created_product_can_be_followed(catalogue: Catalogue) -> None:
    body = {"name": unique("Followed"), "variants": [variant(unique("sku"))]}
    answer = await catalogue.write("POST", "/v1/products", body)
    found = await catalogue.read(answer.headers["location"])
    assert found.json()["id"] == answer.json()["id"]


async def test_details_are_merged_and_an_equal_patch_changes_nothing(catalogue: Catalogue) -> None:
    created = await catalogue.create(
        name=unique("Patched"), brand="Old", attributes={"a": 1, "b": 2}, variants=[variant(unique("sku"))]
    )
    path = f"/v1/products/{created['id']}"
    patch = {"name": "New name", "brand": None, "attributes": {"b": None, "c": True}, "tags": ["x"]}
    first = await catalogue.write("PATCH", path, patch, content_type="application/merge-patch+json")
    second = await catalogue.write("PATCH", path, patch)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json() == {**created, "version": 2}
    product = await catalogue.product(created["id"])
    seen = {name: product[name] for name in ("name", "brand", "attributes", "tags", "version")}
    wanted = {
        "name": "New name", "brand": None, "attributes": {"a": 1, "c": True}, "tags": ["x"], "version": 2,
    }  # fmt: skip
    assert seen == wanted


async def test_a_new_slug_moves_the_product_and_frees_the_old_one(catalogue: Catalogue) -> None:
    old, new = unique("old"), unique("new")
    created = await catalogue.create(name="Moved", slug=old, variants=[variant(unique("sku"))])
    await catalogue.write("PATCH", f"/v1/products/{created['id']}", {"slug": new})
    assert (await catalogue.read(f"/v1/products/by-slug/{old}")).status_code == 404
    assert (await catalogue.read(f"/v1/products/by-slug/{new}")).json()["id"] == created["id"]
    heir = await catalogue.create(name="Heir", slug=old, variants=[variant(unique("sku"))])
    assert (await catalogue.read(f"/v1/products/by-slug/{old}")).json()["id"] == heir["id"]


async def test_variants_come_change_and_go_by_their_encoded_sku(catalogue: Catalogue) -> None:
    first, second = unique("first"), f"{unique('x')}/price"
    created = await catalogue.create(name=unique("Variants"), variants=[variant(first)])
    path = f"/v1/products/{created['id']}/variants"
    body = {"price": {"amount": "9.90", "currency": "USD"}, "options": {"size": "ß"}}
    added = await catalogue.write("PUT", f"{path}/{segment(second)}", body)
    assert (added.status_code, added.json()["version"]) == (201, 2)
    changed = await catalogue.write("PUT", f"{path}/{segment(second)}", {**body, "weight_grams": 5})
    assert (changed.status_code, changed.json()["version"]) == (200, 3)
    by_sku = await catalogue.read(f"/v1/products/by-sku/{segment(second)}")
    assert by_sku.json()["variants"][1] == {
        "sku": second, "options": {"size": "ß"}, "price": {"amount": "9.90", "currency": "USD"},
        "compare_at_price": None, "barcode": None, "weight_grams": 5,
    }  # fmt: skip
    assert (await catalogue.write("DELETE", f"{path}/{segment(second)}")).status_code == 204
    assert (await catalogue.read(f"/v1/products/by-sku/{segment(second)}")).status_code == 404
    last = await catalogue.write("DELETE", f"{path}/{segment(first)}")
    assert (last.status_code, last.json()["code"]) == (409, "last-variant")


async def test_a_price_is_changed_only_for_who_knows_the_version(catalogue: Catalogue) -> None:
    sku = unique("sku")
    created = await catalogue.create(name=unique("Priced"), variants=[variant(sku)])
    path = f"/v1/products/{created['id']}/variants/{sku}/price"
    price = {"amount": "47.50", "currency": "USD"}
    changed = await catalogue.write("PUT", path, price, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await catalogue.product(created["id"]))["variants"][0]["price"] == price
    late = await catalogue.write("PUT", path, {"amount": "1.00", "currency": "USD"}, if_match='"1"')
    assert (late.status_code, late.json()["current_version"]) == (412, 2)
    assert late.headers["content-type"] == "application/problem+json"
    assert (await catalogue.product(created["id"]))["variants"][0]["price"] == price


async def test_a_product_is_published_archived_and_restored(catalogue: Catalogue) -> None:
    created = await catalogue.create(name=unique("Moving"), variants=[variant(unique("sku"))])
    path = f"/v1/products/{created['id']}"
    early = await catalogue.write("POST", f"{path}/archive")
    assert (early.status_code, early.json()["code"]) == (409, "transition-not-allowed")
    seen = []
    for move in ("publish", "publish", "archive", "restore"):
        moved = await catalogue.write("POST", f"{path}/{move}")
        product = await catalogue.product(created["id"])
        assert moved.json() == {**created, "version": product["version"], "status": product["status"]}
        seen.append((product["version"], product["status"], product["published_at"] is not None))
    assert seen == [(2, "active", True), (2, "active", True), (3, "archived", True), (4, "active", True)]


async def test_a_deleted_product_is_gone_and_its_names_are_free(catalogue: Catalogue) -> None:
    slug, sku = unique("gone"), unique("sku")
    created = await catalogue.create(name="Gone", slug=slug, variants=[variant(sku)])
    path = f"/v1/products/{created['id']}"
    assert (await catalogue.write("DELETE", path)).status_code == 204
    for form in FORMS:
        gone = await catalogue.read(form.format(id=created["id"], slug=slug, sku=sku))
        assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")
    assert (await catalogue.write("DELETE", path)).status_code == 404
    assert (await catalogue.write("POST", f"{path}/publish")).status_code == 404
    heir = await catalogue.create(name="Heir", slug=slug, variants=[variant(sku)])
    for form in FORMS[1:]:
        found = await catalogue.read(form.format(id=heir["id"], slug=slug, sku=sku))
        assert found.json()["id"] == heir["id"]


async def test_a_taken_sku_or_slug_is_refused_and_leaves_nothing(catalogue: Catalogue) -> None:
    slug, sku, brand = unique("taken"), unique("sku"), unique("brand")
    await catalogue.create(name="First", slug=slug, brand=brand, variants=[variant(sku)])
    for code, body in (
        ("slug-taken", {"name": "Second", "slug": slug, "variants": [variant(unique("sku"))]}),
        ("sku-taken", {"name": "Second", "variants": [variant(sku)]}),
    ):
        refused = await catalogue.write("POST", "/v1/products", {**body, "brand": brand})
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert len(await catalogue.ids(f"status=draft&brand={brand}")) == 1


async def test_a_batch_does_each_operation_in_order_and_is_read_back_with_its_token(
    catalogue: Catalogue,
) -> None:
    slug, sku, brand = unique("batch"), unique("sku"), unique("brand")
    created = await catalogue.create(name="Before", variants=[variant(f"{sku}-0")])
    product = {"name": "Upserted", "slug": slug, "brand": brand, "variants": [variant(sku)]}
    operations = [
        {"op": "upsert", "product": product},
        {"op": "upsert", "product": {**product, "variants": [variant(sku, "60.00")]}},
        {"op": "create", "product": {"name": "Second", "brand": brand, "variants": [variant(f"{sku}-2")]}},
        {"op": "create", "product": {"name": "Taken", "brand": brand, "variants": [variant(sku)]}},
        {"op": "update", "id": created["id"], "patch": {"brand": brand}, "if_version": 1},
        {"op": "update", "id": created["id"], "patch": {"brand": "late"}, "if_version": 1},
        {"op": "price", "id": created["id"], "sku": f"{sku}-0",
         "price": {"amount": "5.00", "currency": "EUR"}},
        {"op": "publish", "id": created["id"]},
        {"op": "teleport", "id": created["id"]},
    ]  # fmt: skip
    answer = await catalogue.write("POST", "/v1/products:batch", operations)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(operations)))
    statuses = [result["status"] for result in results]
    assert statuses == [201, 200, 201, 409, 200, 412, 200, 200, 422]
    assert [result.get("version") for result in results[4:8]] == [2, None, 3, 4]
    assert results[0]["id"] == results[1]["id"]
    listed = await catalogue.ids(f"status=draft,active&brand={brand}")
    assert set(listed) == {results[0]["id"], results[2]["id"], created["id"]}
    upserted = await catalogue.product(results[0]["id"])
    assert upserted["variants"][0]["price"]["amount"] == "60.00"
    assert (await catalogue.product(created["id"]))["status"] == "active"


async def test_a_repeated_key_gets_the_first_answer_and_no_second_effect(catalogue: Catalogue) -> None:
    key, brand = unique("key"), unique("brand")
    body = {"name": "Once", "brand": brand, "variants": [variant(unique("sku"))]}
    first = await catalogue.write("POST", "/v1/products", body, idempotency_key=key)
    again = await catalogue.write("POST", "/v1/products", body, idempotency_key=key)
    for name in ("etag", "consistency-token", "location"):
        assert again.headers[name] == first.headers[name]
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    other = await catalogue.write("POST", "/v1/products", {**body, "name": "Twice"}, idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert await catalogue.ids(f"status=draft&brand={brand}") == [first.json()["id"]]


async def test_an_etag_saves_the_body_until_the_product_changes(catalogue: Catalogue) -> None:
    created = await catalogue.create(name=unique("Tagged"), variants=[variant(unique("sku"))])
    path = f"/v1/products/{created['id']}"
    got, headed = await catalogue.read(path), await catalogue.read(path, "HEAD")
    assert (got.headers["etag"], headed.headers["etag"]) == ('"1"', '"1"')
    assert (headed.content, headed.headers["content-length"]) == (b"", str(len(got.content)))
    kept = await catalogue.read(path, if_none_match='"1"')
    assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", '"1"')
    await catalogue.write("PATCH", path, {"name": "Changed"})
    changed = await catalogue.read(path, if_none_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')


async def test_lists_filter_sort_and_page(catalogue: Catalogue) -> None:
    brand, tag, top = unique("brand"), unique("tag"), unique("top")
    made = []
    for number, (category, amount) in enumerate(
        [("a", "30.00"), ("a/b", "10.00"), ("a/b", "20.00"), ("ab", "40.00"), ("c", "50.00")]
    ):
        created = await catalogue.create(
            name=f"{number} {brand}",
            brand=brand,
            category=f"{top}/{category}",
            tags=[tag] if number % 2 else [],
            variants=[variant(unique("sku"), amount)],
        )
        made.append(created["id"])
        if number < 4:
            await catalogue.write("POST", f"/v1/products/{created['id']}/publish")
    ours = f"brand={brand}"

    async def all_are_listed() -> None:
        """The token is that of the last product; the others are in other partitions."""
        assert set(await catalogue.ids(ours)) == set(made[:4])

    await eventually(all_are_listed)
    assert await catalogue.ids(f"{ours}&status=draft") == [made[4]]
    assert await catalogue.ids(f"category={top}/a&sort=name") == made[:3]
    assert await catalogue.ids(f"tag={tag}&sort=name") == [made[1], made[3]]
    priced = f"{ours}&currency=USD"
    assert await catalogue.ids(f"{priced}&price_min=20&price_max=30&sort=price") == [made[2], made[0]]
    assert await catalogue.ids(f"{priced}&sort=-price") == [made[3], made[0], made[2], made[1]]
    assert await catalogue.ids(f"{ours}&sort=-updated_at") == made[3::-1]
    assert set(await catalogue.ids(f"ids={made[0]},{made[4]}&status=draft,active")) == {made[0], made[4]}


async def test_a_cursor_leads_through_all_pages_and_is_refused_elsewhere(catalogue: Catalogue) -> None:
    brand = unique("brand")
    operations = [
        {"op": "create", "product": {"name": f"{n:02}", "brand": brand, "variants": [variant(unique("s"))]}}
        for n in range(7)
    ]
    answer = await catalogue.write("POST", "/v1/products:batch", operations)
    made = [result["id"] for result in answer.json()["results"]]
    path, seen, pages = f"/v1/products?status=draft&brand={brand}&sort=name&limit=3", [], 0
    while path:
        page = await catalogue.read(path)
        seen += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        assert ("next" in page.links) == (cursor is not None)
        path = page.links["next"]["url"] if cursor else ""
        pages += 1
    assert (pages, seen) == (3, made)
    first = await catalogue.read(f"/v1/products?status=draft&brand={brand}&sort=name&limit=3")
    elsewhere = await catalogue.read(f"/v1/products?sort=name&cursor={first.json()['next_cursor']}")
    assert (elsewhere.status_code, elsewhere.headers["content-type"]) == (400, "application/problem+json")


async def test_a_token_that_nobody_gave_out_is_refused(catalogue: Catalogue) -> None:
    malformed = await catalogue.read("/v1/products", consistency_token="not a token")
    assert (malformed.status_code, malformed.headers["content-type"]) == (400, "application/problem+json")
