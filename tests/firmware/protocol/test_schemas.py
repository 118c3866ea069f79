"""The JSON Schemas: checked in as the models make them, and a plain validator takes and refuses what the models do."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from firmware.protocol import schemas
from firmware.protocol.lines import encode
from tests.firmware.protocol.test_messages import EXAMPLES, PAIRS
from tests.firmware.protocol.test_vectors import FILES, schema_of

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"
NAMES = sorted(schemas.ALL)
VALIDATORS = {name: Draft202012Validator(schemas.schema(name)) for name in NAMES}


def wire_examples() -> list[tuple[str, Any]]:
    found = [(vector["typ"].split(".")[1], vector["payload"]) for vector in FILES["jws.json"]["tokens"]]
    for message in FILES["envelope.json"]["messages"]:
        found.append((schema_of(tuple(message["topic"].split("/")[3:])), message["value"]))
    for vector in FILES["records.json"]["chain"]:
        found += [("record", vector["record"]), ("header", vector["record"]["header"])]
    enrolment = FILES["enrolment.json"]
    found += [("enrolment", enrolment["request_payload"]), ("enrolment-answer", enrolment["answer_payload"])]
    return [*found, ("enrolment-sealed", enrolment["request"]), ("enrolment-answer-sealed", enrolment["answer"])]


WIRE_EXAMPLES = wire_examples()


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_what_the_models_make(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == schemas.text(name), "run python -m firmware.protocol.schemas docs/schemas"
    assert json.loads(text)["$id"].endswith(f"/{name}.json")
    Draft202012Validator.check_schema(json.loads(text))


def test_there_is_no_other_file(tmp_path: Path) -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == NAMES
    (tmp_path / "old.json").write_text("{}")
    schemas.main(tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == NAMES


@pytest.mark.parametrize(("name", "value"), WIRE_EXAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_real_examples_are_valid(name: str, value: Any) -> None:
    assert [error.message for error in VALIDATORS[name].iter_errors(value)] == []


def test_every_schema_has_an_example() -> None:
    assert {name for name, _ in WIRE_EXAMPLES} == {*schemas.WIRE, *schemas.ENROLMENT, "bundle", "acceptance"}
    assert set(EXAMPLES) == set(schemas.SOCKETS)


@pytest.mark.parametrize(("name", "message"), PAIRS, ids=lambda v: v if isinstance(v, str) else "")
def test_socket_messages_are_valid(name: str, message: Any) -> None:
    value = json.loads(encode(message))
    assert [error.message for error in VALIDATORS[name].iter_errors(value)] == []
    assert not VALIDATORS[name].is_valid({k: v for k, v in value.items() if k != "type"})
    assert not VALIDATORS[name].is_valid(value | {"more": 1})


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([pair for pair in WIRE_EXAMPLES if isinstance(pair[1], dict)]), st.data())
def test_a_member_less_or_more_is_invalid(pair: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, value = pair
    member = data.draw(st.sampled_from(sorted(value)))
    assert not VALIDATORS[name].is_valid({k: v for k, v in value.items() if k != member})
    assert not VALIDATORS[name].is_valid(value | {"more": 1})
