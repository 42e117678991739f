"""Invents a catalogue of any size: the same seed and number give the same bytes on every machine.

Each product is made from the seed and its own number alone. So memory does not grow, and the first 100
products are the same in a catalogue of 100 and of 1,000. Slugs and SKUs contain the seed and the number, so
they are unique, and catalogues of several seeds can be in one system.
"""

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, NoReturn, TypeVar

from tqdm import tqdm

from command_api.importer.cli import EXIT_CODES, add_api_arguments, load, message_of, report
from command_api.importer.client import BatchClient
from command_api.importer.errors import ImportFailed
from command_api.importer.seed_words import ADJECTIVES, BRANDS, FAMILIES, SENTENCES, TAGS, Family
from command_api.importer.source import Candidate, Lines, Rejection, WantedStatus
from command_api.importer.summary import Summary
from shared.access.client import ClientSettings, authentication
from shared.access.client_tokens import NoToken
from shared.contract.text import slug_of
from shared.ops.arguments import at_least
from shared.ops.process import run_command
from shared.ops.process_names import SEED
from shared.ops.progress_bar import progress_bar
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal, process_terminal

VARIANTS_MAX = 6
COUNT_DEFAULT = 1_000

T = TypeVar("T")


def seed_products(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """`count` products as lines of an import: the body of POST /v1/products plus `status`, 1 to 2 KB each."""
    return (_product(number, seed) for number in range(count))


def add_seed_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `seed`."""
    parser.epilog = EXIT_CODES
    parser.add_argument(
        "--count", type=at_least(0), default=COUNT_DEFAULT, help="number of products (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="each seed makes a different catalogue (default: 0)"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write NDJSON to this file (-: stdout) and import nothing"
    )
    add_api_arguments(parser)


def run_seed(args: argparse.Namespace) -> int:
    """Writes or loads the catalogue; returns the exit code, as an import does."""
    terminal, products = process_terminal(), seed_products(args.count, args.seed)
    if args.output is None:
        return run_command(SEED, _load(args, products, terminal))
    try:
        with _bar(args, terminal) as bar:
            _write(products, args.output, bar.update)
    except BrokenPipeError:
        raise  # `| head`: no failure
    except OSError as error:
        return report("seed", Summary(error=message_of(error)), terminal, as_json=args.json)
    return 0


async def _load(args: argparse.Namespace, products: Iterator[dict[str, Any]], terminal: Terminal) -> int:
    summary, settings = Summary(), load_settings(ClientSettings)
    try:
        with _bar(args, terminal) as bar:
            async with authentication(args.token, settings) as auth:
                await load(_candidates(products), BatchClient(args.url, auth=auth), summary, _say, bar.update)
    except (ImportFailed, NoToken, OSError, asyncio.CancelledError) as error:
        summary.error = message_of(error)
    return report("seed", summary, terminal, as_json=args.json)


def _bar(args: argparse.Namespace, terminal: Terminal) -> "tqdm[NoReturn]":
    return progress_bar("seeding", args.count, " products", terminal.errors)


def _product(number: int, seed: int) -> dict[str, Any]:
    # Python promises only of random() that it gives the same values in every version: `_pick` uses it.
    random = Random(f"{seed}/{number}")  # noqa: S311 - a catalogue, not a secret
    family = _pick(random, FAMILIES)
    brand, noun = _pick(random, BRANDS), _pick(random, family.nouns)
    name = f"{_pick(random, ADJECTIVES)} {noun}"
    sentences = [SENTENCES[index] for index in _some(random, range(len(SENTENCES)), 3, 5)]
    images = _between(random, 1, 3)
    code = f"{seed}-{number:06d}"
    slug = f"{slug_of(name)}-{code}"
    return {
        "slug": slug,
        "name": name,
        "description": f"<p>{name} by {brand}.</p><p>{' '.join(sentences)}</p>".replace("&", "&amp;"),
        "brand": brand,
        "product_type": family.product_type,
        "category": family.category,
        "tags": [TAGS[index] for index in _some(random, range(len(TAGS)), 1, 4)],
        "attributes": {attribute: _pick(random, values) for attribute, values in family.attributes},
        "images": [
            {"url": f"https://images.example.com/{code}/{index}.jpg", "alt": f"{name}, view {index}"}
            for index in range(1, images + 1)
        ],
        "variants": _variants(random, family, f"{slug_of(family.product_type).upper()[:3]}-{code}"),
        "status": _status(random),
    }


def _variants(random: Random, family: Family, stem: str) -> list[dict[str, Any]]:
    names = [name for name, _ in family.options]
    grid = list(itertools.product(*(values for _, values in family.options)))
    currency = "EUR" if random.random() < 0.4 else "USD"
    price_cents = _between(random, family.price_from, family.price_to) * 100 - _pick(random, (0, 1, 5, 10))
    grams = _between(random, family.grams_from, family.grams_to)
    variants: list[dict[str, Any]] = []
    for place in _some(random, range(len(grid)), 1, VARIANTS_MAX):
        cents = price_cents + _pick(random, (0, 0, 0, 500, 1000))
        was_cents = cents * 5 // 4 if random.random() < 0.2 else None
        words = "-".join(slug_of(value).upper() for value in grid[place])
        variants.append(
            {
                "sku": f"{stem}-{words}",
                "options": dict(zip(names, grid[place], strict=True)),
                "price": _money(cents, currency),
                "compare_at_price": _money(was_cents, currency) if was_cents else None,
                "barcode": f"{_between(random, 10**12, 10**13 - 1)}" if random.random() < 0.8 else None,
                "weight_grams": grams + 10 * len(variants),
            }
        )
    return variants


def _money(cents: int, currency: str) -> dict[str, str]:
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": currency}


def _status(random: Random) -> WantedStatus:
    chance = random.random()
    return "active" if chance < 0.92 else "draft" if chance < 0.97 else "archived"


def _pick(random: Random, choices: Sequence[T]) -> T:
    return choices[int(random.random() * len(choices))]


def _between(random: Random, lowest: int, highest: int) -> int:
    return lowest + int(random.random() * (highest - lowest + 1))


def _some(random: Random, choices: range, fewest: int, most: int) -> list[int]:
    """Some different words, in the order of the list."""
    wanted = min(len(choices), _between(random, fewest, most))
    return sorted(sorted(choices, key=lambda _: random.random())[:wanted])


def _candidates(products: Iterator[dict[str, Any]]) -> Iterator[Candidate]:
    for line, product in enumerate(products, start=1):
        status = product.pop("status")
        yield Candidate(Lines((line,)), product, status)


def _write(products: Iterator[dict[str, Any]], output: str, progress: Callable[[int], object]) -> None:
    with ExitStack() as stack:
        # Bytes, not text: the catalogue must not depend on the terminal's encoding.
        file = sys.stdout.buffer if output == "-" else stack.enter_context(Path(output).open("wb"))
        for product in products:
            file.write(json.dumps(product, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            progress(1)
        file.flush()


def _say(rejection: Rejection) -> None:
    sys.stderr.write(f"product {rejection.line} rejected: {rejection.reason}\n")
