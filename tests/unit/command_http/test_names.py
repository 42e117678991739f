"""Names come in every spelling and script and are stored in one form; content stays as it was sent."""

# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are what is tested

import json
import unicodedata
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import JSON, PRICE, create, problem_of, product, variant

Client = httpx.AsyncClient
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def _last_stored(store: InMemoryEventStore) -> dict[str, Any]:
    """The data of the last event."""
    data: dict[str, Any] = json.loads(store.appends[-1].events[-1].encoded.data)
    return data


async def _detail(client: Client, **fields: Any) -> str:
    """What the only error of a refused product says."""
    answer = await client.post("/v1/products", json=product(**fields))
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    return str(error["detail"])


async def test_all_names_of_a_product_are_stored_in_one_form(
    client: Client, store: InMemoryEventStore
) -> None:
    def body(name: str) -> dict[str, Any]:
        options = {name: name}
        return product(
            name=name, slug=name, brand=name, product_type=name, category=f"{name}/{name}", tags=["a", name],
            variants=[variant(name, options=options, barcode=name)],
        )  # fmt: skip

    assert (await client.post("/v1/products", json=body(DECOMPOSED))).status_code == 201
    stored = _last_stored(store)
    wanted = body(COMPOSED)
    assert {field: stored[field] for field in wanted if field != "variants"} == {
        field: value for field, value in wanted.items() if field != "variants"
    }
    (one,) = stored["variants"]
    assert (one["sku"], one["options"], one["barcode"]) == (COMPOSED, {COMPOSED: COMPOSED}, COMPOSED)


async def test_content_is_stored_as_it_was_sent(client: Client, store: InMemoryEventStore) -> None:
    attributes = {DECOMPOSED: [DECOMPOSED, COMPOSED]}
    image = {"url": f"https://e.test/{DECOMPOSED}", "alt": DECOMPOSED}
    await create(client, description=DECOMPOSED, attributes=attributes, images=[image])
    stored = _last_stored(store)
    assert (stored["description"], stored["attributes"]) == (DECOMPOSED, attributes)
    assert stored["images"] == [image]


@pytest.mark.parametrize(
    "slug",
    [
        "हिन्दी-किताब", "เสื้อยืด-สีแดง", "নীল-শা\u09a1\u09bcি", "pillow-i\u0307nsert", COMPOSED, "größe_m", "a--b",
        "a-_b", "2-pack",
    ],
)  # fmt: skip
async def test_a_slug_holds_the_letters_marks_and_digits_of_every_script(client: Client, slug: str) -> None:
    answer = await client.post("/v1/products", json=product(slug=slug))
    assert (answer.status_code, answer.json().get("slug")) == (201, slug)
    for same in (slug, unicodedata.normalize("NFD", slug), f"{slug}\u200b"):
        answer = await client.post("/v1/products", json=product("S-2", slug=same))
        problem_of(answer, 409, "slug-taken")


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("nike™-air", "'™' cannot stand in a slug"),
        ("shirt-👕-blue", "'👕' cannot stand in a slug"),
        ("with space", "' ' cannot stand in a slug"),
        ("a/b", "'/' cannot stand in a slug"),
        ("a\tb", "'\\t' cannot stand in a slug"),
        ("-a", "begins with a letter or a digit"),
        ("_a", "begins with a letter or a digit"),
        ("\u0301a", "begins with a letter or a digit"),
        ("a-", "does not end with -"),
        ("\u200b\u00ad", "at least 1 character"),
    ],
)
async def test_a_slug_that_is_refused_says_why(client: Client, slug: str, said: str) -> None:
    assert said in await _detail(client, slug=slug)


async def test_a_sku_that_is_refused_names_the_character(client: Client) -> None:
    for sku, named in (("A\tB", "'\\t'"), ("A\u200c", "'\\u200c'"), ("\u00a0A", "'\\xa0'")):
        assert f"{named} cannot stand in a SKU" in await _detail(client, variants=[variant(sku)])
        answer = await client.put(f"{await create(client, quote(sku))}/variants/{quote(sku)}", json=variant())
        assert f"{named} cannot stand in a SKU" in problem_of(answer, 422, "validation-failed")["detail"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("เสื้อยืด สีแดง", "เสื้อยืด-สีแดง"),
        ("हिन्दी किताब", "हिन्दी-किताब"),
        ("İpek", "i̇pek"),
        ("Nike™ Air 👕", "nike-air"),
        (DECOMPOSED, COMPOSED),
        ("x" * 198 + "ก\u0e37\u0e49า", "x" * 198),
        ("x" * 199 + " y", "x" * 199),
    ],
)
async def test_a_slug_is_made_from_a_name_of_any_script(client: Client, name: str, slug: str) -> None:
    assert (await client.post("/v1/products", json=product(name=name))).json()["slug"] == slug


async def test_a_name_of_signs_alone_gives_a_slug_from_the_products_id(client: Client) -> None:
    for number, name in enumerate(("™", "👩\u200d👧", "a" + "\u0301\u0323" * 127)):
        answer = await client.post("/v1/products", json=product(f"S-{number}", name=name))
        made = answer.json()["slug"]
        assert made == f"product-{answer.json()['id'].replace('-', '')[-12:]}"


async def test_a_sku_of_a_path_is_the_same_in_both_spellings(
    client: Client, store: InMemoryEventStore
) -> None:
    path = await create(client, COMPOSED)
    variants = f"{path}/variants"
    other, accented = quote(DECOMPOSED), "e\u0301"
    assert (await client.put(f"{variants}/{other}", json=variant(weight_grams=5))).status_code == 200
    assert _last_stored(store)["sku"] == COMPOSED
    price = {"amount": "7.00", "currency": "USD"}
    assert (await client.put(f"{variants}/{other}/price", json=price)).status_code == 200
    product_id = path.rsplit("/", 1)[1]
    operation = {"op": "price", "id": product_id, "sku": DECOMPOSED, "price": PRICE}
    results = (await client.post("/v1/products:batch", json=[operation])).json()["results"]
    assert [result["status"] for result in results] == [200]
    assert (await client.put(f"{variants}/{quote(accented)}", json=variant())).status_code == 201
    assert _last_stored(store)["sku"] == "\u00e9"
    assert (await client.delete(f"{variants}/{other}")).status_code == 204
    assert _last_stored(store)["sku"] == COMPOSED


async def test_an_upsert_finds_the_product_by_the_other_spelling(client: Client) -> None:
    for slug, status in ((COMPOSED, 201), (DECOMPOSED, 200)):
        operation = {"op": "upsert", "product": product(slug=slug)}
        results = (await client.post("/v1/products:batch", json=[operation])).json()["results"]
        assert [result["status"] for result in results] == [status]


async def test_a_batch_knows_that_two_spellings_are_one_product(
    client: Client, store: InMemoryEventStore
) -> None:
    spellings = [DECOMPOSED, f"{COMPOSED}\u00ad", COMPOSED]
    operations = [
        {"op": "upsert", "product": product(slug=slug, name=f"n{place}")}
        for place, slug in enumerate(spellings)
    ]
    results = (await client.post("/v1/products:batch", json=operations)).json()["results"]
    assert [result["status"] for result in results] == [201, 200, 200]
    assert [result["version"] for result in results] == [1, 2, 3]
    assert _last_stored(store)["name"] == "n2"


async def test_a_patch_to_another_spelling_changes_nothing(client: Client, store: InMemoryEventStore) -> None:
    path = await create(client, name=COMPOSED, brand=COMPOSED, tags=[COMPOSED], slug=COMPOSED)
    patch = {"name": DECOMPOSED, "brand": DECOMPOSED, "tags": [DECOMPOSED], "slug": DECOMPOSED}
    answer = await client.patch(path, json=patch)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert len(store.appends) == 1


async def test_names_that_are_two_only_in_spelling_are_one_within_a_product(
    client: Client, store: InMemoryEventStore
) -> None:
    await create(client, tags=[COMPOSED, DECOMPOSED, "b"])
    assert _last_stored(store)["tags"] == [COMPOSED, "b"]
    both = {COMPOSED: "1", "other": "2", DECOMPOSED: "3"}
    assert f"two options have the name '{COMPOSED}'" in await _detail(
        client, variants=[variant("A", options=both)]
    )
    assert "SKU" in await _detail(client, variants=[variant(COMPOSED), variant(DECOMPOSED)])
    patched = await client.patch(await create(client, "T", slug="t"), json={"tags": [DECOMPOSED, COMPOSED]})
    assert patched.status_code == 200
    assert _last_stored(store)["tags"] == [COMPOSED]


async def test_lengths_are_those_of_the_normal_form(client: Client) -> None:
    for number, fields in enumerate((
        {"name": "e\u0301" * 255},
        {"slug": "e\u0301" * 255},
        {"slug": "\u200d".join("x" * 255)},
        {"brand": "e\u0301" * 255},
        {"tags": ["\u03b1\u0313\u0300\u0345" * 255]},
        {"category": "e\u0301" * 512},
        {"variants": [variant("e\u0301" * 255)]},
    )):  # fmt: skip
        body = product(f"S-{number}", **{"slug": f"slug-{number}", **fields})
        answer = await client.post("/v1/products", json=body)
        assert answer.status_code == 201, answer.text
    # U+0958 is one character that NFC takes apart.
    for fields in ({"name": "\u0958" * 128}, {"slug": "\u0958" * 128}, {"category": "\u0958" * 257}):
        assert "at most" in await _detail(client, **fields)


@pytest.mark.parametrize("field", ["name", "slug", "brand", "category"])
async def test_a_body_full_of_accents_is_refused_by_its_length(client: Client, field: str) -> None:
    # To put 200,000 marks in order before they are counted would hold the process up for minutes.
    text = "a" + "\u0301" * 100_000 + "\u0323" * 100_000
    body = json.dumps(product(**{field: text}), ensure_ascii=False).encode()
    answer = await client.post("/v1/products", content=body, headers=JSON)
    assert "at most" in problem_of(answer, 422, "validation-failed")["errors"][0]["detail"]
    path = await create(client)
    problem_of(await client.delete(f"{path}/variants/{quote(text[:1_000])}"), 404, "variant-not-found")


@pytest.mark.parametrize(
    "blank", [" ", "\u00a0\u3000", "\u200b", "\ufeff", "\u00ad\u2060", "\u3164", "\u200f", "\ufe0f"]
)
async def test_a_name_must_be_seen(client: Client, blank: str) -> None:
    for fields in ({"name": blank}, {"brand": blank}, {"tags": [blank]}, {"category": blank}):
        await _detail(client, **fields)
    await _detail(client, variants=[variant("A", options={blank: "x"})])
    await _detail(client, variants=[variant("A", options={"x": blank})])


@pytest.mark.parametrize(
    "edge", [" ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e", "\u202c"]
)
async def test_a_part_of_a_category_neither_begins_nor_ends_with_what_is_not_seen(
    client: Client, edge: str
) -> None:
    for category in (f"{edge}a", f"a{edge}", f"a{edge}/b", f"a/{edge}b", f"a/{edge}/b"):
        await _detail(client, category=category)
    await create(client, category=f"a{edge}a/b{edge}c")


@pytest.mark.parametrize(
    "category", ["เสื้อผ้า/เสื้อยืด", "पुस्तकें/हिन्दी", "خانه و آشپزخانه/می\u200cخواهم", "Gifts ❤\ufe0f", "ا", "a & b"]
)
async def test_a_category_is_of_any_script(client: Client, store: InMemoryEventStore, category: str) -> None:
    await create(client, category=category)
    assert _last_stored(store)["category"] == category


async def test_openapi_tells_how_long_names_may_be(client: Client) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    created, priced = schemas["ProductIn"]["properties"], schemas["PriceOperation"]["properties"]
    texts = [created["name"], priced["sku"], created["slug"]["anyOf"][0], created["brand"]["anyOf"][0]]
    texts += [created["tags"]["items"], schemas["VariantBody"]["properties"]["barcode"]["anyOf"][0]]
    assert [(text["minLength"], text["maxLength"]) for text in texts] == [(1, 255)] * len(texts)
    category = created["category"]["anyOf"][0]
    assert (category["minLength"], category["maxLength"]) == (1, 512)
    assert schemas["VariantBody"]["properties"]["options"]["maxProperties"] == 10
