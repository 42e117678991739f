"""The invented catalogue: always the same, never twice the same product."""

import argparse
import hashlib
import itertools
import json
from pathlib import Path

from command_api.importer.seed import VARIANTS_MAX, add_seed_arguments, run_seed, seed_products
from shared.contract.money import normal_amount


def written(file: Path, *arguments: str) -> bytes:
    parser = argparse.ArgumentParser()
    add_seed_arguments(parser)
    assert run_seed(parser.parse_args([*arguments, "--output", str(file)])) == 0
    return file.read_bytes()


def test_the_same_seed_gives_the_same_bytes_for_ever(tmp_path: Path) -> None:
    content = written(tmp_path / "seed.ndjson", "--count", "100", "--seed", "1")
    # A change here changes every catalogue that somebody seeded: do it on purpose.
    assert (
        hashlib.sha256(content).hexdigest()
        == "bef117946cea85eadd1f557a75d1b2cecd179c446b94831b9da69c62a2438ad1"
    )


def test_another_seed_gives_another_catalogue_that_can_stand_beside_it() -> None:
    both = list(itertools.chain(seed_products(300, 1), seed_products(300, 2)))
    assert len({product["slug"] for product in both}) == 600
    skus = [variant["sku"] for product in both for variant in product["variants"]]
    assert len(set(skus)) == len(skus)


def test_the_first_of_many_are_the_few() -> None:
    assert list(itertools.islice(seed_products(10**9, 3), 5)) == list(seed_products(5, 3))


def test_products_look_like_products() -> None:
    products = list(seed_products(500, 0))
    assert {len(product["variants"]) for product in products} == set(range(1, VARIANTS_MAX + 1))
    assert {product["status"] for product in products} == {"active", "draft", "archived"}
    sizes = [len(json.dumps(product, ensure_ascii=False).encode()) for product in products]
    assert 1_000 < sum(sizes) / len(sizes) < 2_000
    assert any(not product["name"].isascii() for product in products)
    for product in products:
        currencies = {variant["price"]["currency"] for variant in product["variants"]}
        assert currencies in ({"EUR"}, {"USD"})
        for variant in product["variants"]:
            assert normal_amount(variant["price"]["amount"], "USD") == variant["price"]["amount"]


def test_a_catalogue_on_stdout_is_the_catalogue_in_a_file(tmp_path: Path, capfdbinary: object) -> None:
    content = written(tmp_path / "seed.ndjson", "--count", "3")
    parser = argparse.ArgumentParser()
    add_seed_arguments(parser)
    assert run_seed(parser.parse_args(["--count", "3", "--output", "-"])) == 0
    assert capfdbinary.readouterr().out == content  # type: ignore[attr-defined]
