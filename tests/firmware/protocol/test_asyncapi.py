"""The AsyncAPI document: checked in as the models make it, valid by AsyncAPI's own schema, and the same as the page.

`asyncapi-3.0.0.schema.json` is the schema of the package @asyncapi/specs 6.11.1 (Apache-2.0), without its descriptions.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from firmware.protocol import asyncapi, typ
from firmware.protocol.asyncapi import CHANNELS

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())
DOCUMENT = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_the_file_is_what_the_models_make() -> None:
    written = (DOCS / "asyncapi.json").read_text(encoding="utf-8")
    assert written == asyncapi.text(), "run python -m firmware.protocol.asyncapi docs/asyncapi.json"


def test_main_writes_it(tmp_path: Path) -> None:
    asyncapi.main(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == DOCUMENT


def test_it_is_valid_asyncapi_and_a_wrong_one_is_not() -> None:
    validator = Draft7Validator(SCHEMA)
    assert [(list(error.path), error.message) for error in validator.iter_errors(DOCUMENT)] == []
    operation = next(iter(DOCUMENT["operations"].values()))
    for wrong in (
        DOCUMENT | {"asyncapi": "2.0.0"},
        DOCUMENT | {"topics": {}},
        DOCUMENT | {"operations": {"x": operation | {"action": "publish"}}},
    ):
        assert list(validator.iter_errors(wrong))


def test_every_reference_leads_somewhere() -> None:
    found = list(refs(DOCUMENT))
    assert any(ref.startswith("schemas/") for ref in found)
    for ref in found:
        if ref.startswith("#/"):
            at: Any = DOCUMENT
            for step in ref[2:].split("/"):
                at = at[step]
        else:
            assert (DOCS / ref).is_file(), ref


def test_it_says_what_the_page_says() -> None:
    page = (DOCS / "alarm-center.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (`[^|]*) \| (panel|center)[^|]*\| ([01]) \| ([^|]*) \|", page.split("## Topics")[1], re.MULTILINE
    )
    told = {
        (words, sender, int(qos), "yes" in retained)
        for cell, sender, qos, retained in rows
        for words in re.findall(r"`([^`]*)`", cell)
    }
    made = {(c.words, c.sender, c.qos, c.retain) for c in CHANNELS if c.words not in ("batch/evidence", "link/{path}")}
    assert told == made


def test_every_typ_that_crosses_the_wire_by_itself_has_its_channel() -> None:
    enrolment = {typ.ENROLMENT, typ.ENROLMENT_ANSWER}
    inside = {typ.CHECKPOINT, typ.BASE, typ.TICK, typ.BUNDLE, typ.RELEASE, typ.ACCEPTANCE, *enrolment}
    every = {value for name, value in vars(typ).items() if name.isupper()}
    assert {channel.typ for channel in CHANNELS if channel.typ} == every - inside
