"""The generated files as text, for whoever writes them and for the test that compares."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy import strimzi
from deploy.grafana import boards
from deploy.prometheus import rule_objects
from docs.generate.access import access_page
from docs.generate.asyncapi import asyncapi_document
from docs.generate.kafka_rights import kafka_rights_page
from docs.generate.logs import logs_page
from docs.generate.metrics import metrics_page
from docs.generate.schemas import all_schemas

DOCS = Path(__file__).parents[1]
SCHEMAS = DOCS / "schemas"
FOLDERS = (SCHEMAS, boards.DASHBOARDS)
"""Folders in which all files are generated."""
_HEAD = "# Generated from the code by `make docs`: do not edit.\n"


class _Plain(yaml.SafeDumper):
    """YAML as a person would write it: no anchors, texts of several lines as such."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Plain.add_representer(str, _text)


def files() -> dict[Path, str]:
    """Path -> the text that must be there."""
    made = {
        SCHEMAS / name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in all_schemas().items()
    }
    document = yaml.dump(asyncapi_document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    pages = {
        DOCS / "metrics.md": metrics_page(),
        DOCS / "logs.md": logs_page(),
        DOCS / "access.md": access_page(),
        DOCS / "kafka-rights.md": kafka_rights_page(),
    }
    return {
        **made,
        DOCS / "asyncapi.yaml": _HEAD + document,
        **pages,
        **boards.files(),
        strimzi.FOLDER / "topics.yaml": _objects(strimzi.topic_objects()),
        strimzi.FOLDER / "users.yaml": _objects(strimzi.user_objects()),
        rule_objects.FILE: _objects(rule_objects.rule_objects()),
    }


def _objects(made: Sequence[dict[str, Any]]) -> str:
    """Several objects in one file."""
    return _HEAD + yaml.dump_all(made, Dumper=_Plain, sort_keys=False, width=110)
