"""Every shape that the log ever stored decodes for ever: one golden file for each type and schema version.

An optional field that a published shape gains has a golden file beside that of its shape, named after the
field. A golden file is added with its line in `golden.sha256` (append it), and neither is edited
afterwards.
"""

import hashlib
from pathlib import Path

import pytest

from shared.contract import events as e
from shared.contract.codec import (
    STORED_TYPES,
    MalformedEventData,
    UnknownEventType,
    UnknownSchemaVersion,
    decode_event,
    encode_event,
)
from shared.contract.upcasters import UPCASTERS

FOLDER = Path(__file__).with_name("golden")
SUMS = Path(__file__).with_name("golden.sha256")
STORED = [
    (stored.event_type, schema_version)
    for stored in STORED_TYPES
    for schema_version in range(1, stored.schema_version + 1)
]
GAINED = [("product-details-changed", 2, "variant-order")]
CURRENT = {stored.event_type: stored.schema_version for stored in STORED_TYPES}


def _golden(event_type: str, schema_version: int) -> bytes:
    return (FOLDER / f"{event_type}.v{schema_version}.json").read_bytes()


def test_every_stored_type_and_schema_version_has_a_golden_file_and_nothing_else_has() -> None:
    shapes = {f"{name}.v{version}.json" for name, version in STORED}
    gained = {f"{name}.v{version}.{field}.json" for name, version, field in GAINED}
    assert {file.name for file in FOLDER.iterdir()} == shapes | gained


@pytest.mark.parametrize(("event_type", "schema_version", "field"), GAINED)
def test_a_field_that_a_shape_gained_is_read_and_written_byte_for_byte(
    event_type: str, schema_version: int, field: str
) -> None:
    golden = (FOLDER / f"{event_type}.v{schema_version}.{field}.json").read_bytes()
    event = decode_event(event_type, schema_version, golden)
    assert getattr(event, field.replace("-", "_")) == ("OBS-S", "OBS-M", "OBS-L")
    assert encode_event(event).data == golden


def test_the_bytes_of_a_golden_file_never_change() -> None:
    listed = {name: digest for digest, name in map(str.split, SUMS.read_text().splitlines())}
    assert listed == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.iterdir()}


@pytest.mark.parametrize(("event_type", "schema_version"), STORED)
def test_a_golden_file_decodes_and_once_encoded_stays_as_it_is(event_type: str, schema_version: int) -> None:
    event = decode_event(event_type, schema_version, _golden(event_type, schema_version))
    encoded = encode_event(event)
    assert (encoded.event_type, encoded.schema_version) == (event_type, CURRENT[event_type])
    assert decode_event(*encoded) == event
    assert encode_event(decode_event(*encoded)) == encoded


@pytest.mark.parametrize("event_type", CURRENT)
def test_the_current_shape_is_written_byte_for_byte_as_its_golden_file(event_type: str) -> None:
    """An added field changes the bytes: that is a new golden file, so it asks for a version."""
    golden = _golden(event_type, CURRENT[event_type])
    assert encode_event(decode_event(event_type, CURRENT[event_type], golden)).data == golden


@pytest.mark.parametrize("event_type", ["product-created", "product-details-changed"])
def test_bare_image_addresses_become_images_without_alternative_text(event_type: str) -> None:
    old = decode_event(event_type, 1, _golden(event_type, 1))
    new = decode_event(event_type, 2, _golden(event_type, 2))
    assert isinstance(old, e.ProductCreated | e.ProductDetailsChanged)
    assert isinstance(new, e.ProductCreated | e.ProductDetailsChanged)
    assert isinstance(old.images, tuple)
    assert isinstance(new.images, tuple)
    assert old.images == tuple(e.Image(image.url, None) for image in new.images)
    assert {name: getattr(old, name) for name in old.__struct_fields__ if name != "images"} == {
        name: getattr(new, name) for name in new.__struct_fields__ if name != "images"
    }


@pytest.mark.parametrize("images", [b"", b',"images":[]', b',"images":null'])
def test_an_old_change_of_details_without_images_keeps_saying_the_same_of_them(images: bytes) -> None:
    data = b'{"name":"x"' + images + b"}"
    assert decode_event("product-details-changed", 1, data) == decode_event(
        "product-details-changed", 2, data
    )


def test_there_is_an_upcaster_for_each_old_version_and_no_other() -> None:
    assert set(UPCASTERS) == {(name, version) for name, version in STORED if version < CURRENT[name]}


def test_an_unknown_type_is_told_from_an_unknown_version_and_from_broken_data() -> None:
    with pytest.raises(UnknownEventType):
        decode_event("product-sold", 1, b"{}")
    for schema_version in (-1, 0, 3, 99):
        with pytest.raises(UnknownSchemaVersion):
            decode_event("product-created", schema_version, b"{}")
    for schema_version in (1, 2):
        for data in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"slug":1}',
            b"\xff",
            b'{"slug":"a","name":"b","variants":3}',
        ):
            with pytest.raises(MalformedEventData):
                decode_event("product-created", schema_version, data)


@pytest.mark.parametrize("images", [b'"x"', b"3", b"[1]", b'[{"url":"x"}]', b'{"a":1}'])
def test_an_old_event_with_images_that_are_no_addresses_is_malformed_and_not_a_crash(images: bytes) -> None:
    data = b'{"slug":"a","name":"b","variants":[],"images":' + images + b"}"
    with pytest.raises(MalformedEventData):
        decode_event("product-created", 1, data)


def test_a_field_from_the_future_is_ignored() -> None:
    assert decode_event("product-variant-removed", 1, b'{"sku":"A","reason":"sold out"}') == e.VariantRemoved(
        "A"
    )
