"""JSON Schemas of all that is published: each stored shape of each event, the product document, the headers.

msgspec derives them from the structs that encode and decode; what it cannot know is mended here.
"""

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from docs.generate import headers
from shared.contract.codec import STORED_TYPES
from shared.contract.older_shapes import OLDER_SHAPES
from shared.contract.views import ProductDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENT, DOCUMENT_VERSION = "product-document", 1


class Shape(NamedTuple):
    """What one schema describes: its name and version as published, and the struct behind it."""

    name: str
    version: int
    struct: type[msgspec.Struct]

    @property
    def file_name(self) -> str:
        return file_name(self.name, self.version)


def file_name(name: str, version: int) -> str:
    """Of a schema, in docs/schemas and among the published ones."""
    return f"{name}.v{version}.schema.json"


def event_shapes() -> Iterator[Shape]:
    """Each stored type in each schema version that the log may hold, oldest first."""
    for stored in STORED_TYPES:
        for version in range(1, stored.schema_version):
            yield Shape(stored.event_type, version, OLDER_SHAPES[stored.event_type, version])
        yield Shape(stored.event_type, stored.schema_version, stored.event_class)


def document_shape() -> Shape:
    """What a reader gets, and the value of the state topic."""
    return Shape(DOCUMENT, DOCUMENT_VERSION, ProductDocument)


def all_schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema, each complete in itself."""
    shapes = [*event_shapes(), document_shape()]
    schemas = {shape.file_name: _standing_alone(shape) for shape in shapes}
    name, version = headers.NAME, headers.VERSION
    schemas[file_name(name, version)] = _head(name, version) | headers.headers_schema()
    return schemas


def components(shapes: list[Shape], ref_template: str) -> dict[str, dict[str, Any]]:
    """Struct name -> schema, of the shapes and all that they are made of; `$ref` as the template says."""
    structs = [shape.struct for shape in shapes]
    _, made = msgspec.json.schema_components(structs, ref_template=ref_template)
    found = msgspec.json.decode(msgspec.json.encode(made))  # defaults that are tuples become arrays
    by_name = {struct.__name__: struct for struct in _reachable(structs)}
    return {name: _mended(schema, by_name[name]) for name, schema in found.items()}


def _head(name: str, version: int) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:product-catalogue:schema:{name}:{version}"}


def _standing_alone(shape: Shape) -> dict[str, Any]:
    definitions = components([shape], "#/$defs/{name}")
    schema = _head(shape.name, shape.version) | definitions.pop(shape.struct.__name__)
    if shape.name != DOCUMENT:
        carried_by = f"On Kafka with `ce_type: {shape.name}` and `ce_schemaversion: {shape.version}`"
        all_headers = file_name(headers.NAME, headers.VERSION)
        schema["description"] += f"\n\n{carried_by}; all headers: {all_headers}."
    return {**schema, "$defs": definitions} if definitions else schema


def _mended(schema: Mapping[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Descriptions without the indentation of code, times that say so, and no empty `required`."""
    mended = {**schema, "description": inspect.cleandoc(schema["description"])}
    if not mended["required"]:
        del mended["required"]
    mended["properties"] = {
        field.encode_name: _mended_field(schema["properties"][field.encode_name], field.type)
        for field in msgspec.structs.fields(struct)
    }
    return mended


def _mended_field(schema: Mapping[str, Any], annotation: Any) -> dict[str, Any]:
    """msgspec names no format of a time that may lack its zone, and no type of an enumeration."""
    if annotation is datetime:
        return {**schema, "format": "date-time"}
    if "enum" in schema:
        return {"type": "string", **schema}
    if isinstance(annotation, types.UnionType) and datetime in typing.get_args(annotation):
        dated = [
            {**one, "format": "date-time"} if one == {"type": "string"} else one for one in schema["anyOf"]
        ]
        return {**schema, "anyOf": dated}
    return dict(schema)


def _reachable(structs: list[type[msgspec.Struct]]) -> Iterator[type[msgspec.Struct]]:
    """The structs and those in their fields; a name stands for one struct only."""
    for info in msgspec.inspect.multi_type_info(structs):
        yield from _structs_in(info)


def _structs_in(info: Any) -> Iterator[type[msgspec.Struct]]:
    match info:
        case msgspec.inspect.StructType(cls=struct, fields=fields):
            yield struct
            for field in fields:
                yield from _structs_in(field.type)
        case msgspec.inspect.UnionType(types=alternatives):
            for one in alternatives:
                yield from _structs_in(one)
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            yield from _structs_in(item)
        case msgspec.inspect.DictType(value_type=value):
            yield from _structs_in(value)
        case _:
            return
