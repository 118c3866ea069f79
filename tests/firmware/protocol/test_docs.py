"""The pages for engineers: every example is valid, every worked value is that of the vectors, every table fresh."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from firmware.config import MqttPath, PanelFile
from firmware.protocol import envelope, jws, messages, schemas, signed, vocabulary_table
from firmware.protocol.records import MAX_PAYLOAD, Header, Record, faults
from rules.vocabulary import KINDS
from tests.firmware.protocol.test_vectors import FILES

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("protocol.md", "alarm-center.md")}
FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(page, *found) for page, text in PAGES.items() for found in FENCE.findall(text)]
EXAMPLES = [(page, name, body) for page, kind, name, body in BLOCKS if kind == "json"]
WORKED = [(page, name, body) for page, kind, name, body in BLOCKS if kind == "text" and name]
MODELS: dict[str, Any] = {name: adapter for name, (_, adapter) in (schemas.WIRE | schemas.SOCKETS).items()}


@pytest.mark.parametrize(("page", "name", "body"), EXAMPLES, ids=[f"{page}-{name}" for page, name, _ in EXAMPLES])
def test_every_example_is_valid(page: str, name: str, body: str) -> None:
    value = json.loads(body)
    if name == "jwk":
        assert jws.key_id(jws.load_public(value["x"])) == FILES["jws.json"]["keys"]["center"]["kid"]
        return
    MODELS[name].validate_json(body)
    assert list(Draft202012Validator(schemas.schema(name)).iter_errors(value)) == []


def test_the_pages_show_every_message_of_the_wire() -> None:
    shown = {name for page, name, _ in EXAMPLES if page == "alarm-center.md"}
    wanted = set(schemas.WIRE) - {"header", "record", "batch", "telemetry-batch", "tick"}
    assert wanted <= shown


def test_the_records_shown_are_whole() -> None:
    records = [json.loads(body) for _, name, body in EXAMPLES if name == "record"]
    records += [json.loads(body)["data"] for _, name, body in EXAMPLES if name == "event"]
    assert len(records) == 2
    for record in records:
        assert faults(Record.model_validate(record)) == []


@pytest.mark.parametrize(("page", "name", "body"), WORKED, ids=[name for _, name, _ in WORKED])
def test_every_worked_value_is_that_of_the_vectors(page: str, name: str, body: str) -> None:
    file, *steps = name.split()
    if file == "jws":
        typ, member = steps
        value = next(v for v in FILES["jws.json"]["tokens"] if v["typ"] == f"fenghuo.{typ}.v1")[member]
    else:
        value = FILES["records.json"]["chain"][int(steps[1])][steps[2]]
    assert body == value + "\n"


def test_hashes_keys_and_kids_in_the_text_are_those_of_the_vectors() -> None:
    known = json.dumps(FILES)
    for page, text in PAGES.items():
        for found in re.findall(r"`([0-9a-f]{64}|[A-Za-z0-9_-]{43})`", text):
            assert found in known, f"{page}: {found}"


def test_the_vocabulary_table_is_up_to_date() -> None:
    page = PAGES["alarm-center.md"]
    assert vocabulary_table.filled(page) == page, (
        "run python -m firmware.protocol.vocabulary_table docs/alarm-center.md"
    )
    for kind in KINDS.values():
        assert f"| `{kind.name}` | {kind.lane} |" in page
        assert kind.zh in page


def test_a_page_without_its_markers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("nothing here\n")
    with pytest.raises(ValueError, match="vocabulary"):
        vocabulary_table.main(path)
    path.write_text("a\n<!-- vocabulary -->\nold\n<!-- end of vocabulary -->\nb\n")
    vocabulary_table.main(path)
    assert path.read_text() == f"a\n<!-- vocabulary -->\n\n{vocabulary_table.table()}\n<!-- end of vocabulary -->\nb\n"


def test_every_header_member_is_explained() -> None:
    for text in PAGES.values():
        assert [name for name in Header.model_fields if f"| `{name}` |" not in text] == []


def test_every_typ_command_and_schema_is_named() -> None:
    typs = {value for name, value in vars(signed).items() if name.isupper() and str(value).startswith("fenghuo.")}
    assert [typ for typ in typs if f"`{typ}`" not in PAGES["protocol.md"]] == []
    names = [f"`{name}`" for name in get_args(signed.CommandName)]
    assert [name for name in names if name not in PAGES["alarm-center.md"]] == []


def test_every_socket_message_is_in_the_protocol_page() -> None:
    types = {
        model["properties"]["type"]["const"]
        for name in schemas.SOCKETS
        for model in (schemas.schema(name), *schemas.schema(name).get("$defs", {}).values())
        if "const" in model.get("properties", {}).get("type", {})
    }
    assert len(types) > 25
    assert [name for name in types if f"`{name}`" not in PAGES["protocol.md"]] == []


def number(value: int) -> str:
    return f"{value:,}"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("protocol.md", number(messages.MAX_LINE)),
        ("protocol.md", number(jws.MAX_BYTES)),
        ("alarm-center.md", number(jws.MAX_BYTES)),
        ("protocol.md", f"at most {MAX_PAYLOAD // 1024} KiB in canonical form"),
        ("alarm-center.md", f"at most {envelope.MAX_THUMBNAIL_BYTES // 1024} KiB; only with"),
        ("alarm-center.md", f"list of 1 to {messages.MAX_BATCH_RECORDS} records"),
        ("alarm-center.md", f"1 to {signed.MAX_RANGES}; `first` to `last`"),
    ],
)
def test_the_limits_in_the_text_are_those_of_the_code(page: str, text: str) -> None:
    assert text in PAGES[page]


def test_defaults_of_the_panel_file_in_the_text() -> None:
    center = PanelFile.model_fields["center"].annotation
    model = next(part for part in get_args(center) if part is not type(None))
    page = PAGES["alarm-center.md"]
    assert f"receipt_timeout_s = {model.model_fields['receipt_timeout_s'].default}" in page
    assert f"path_fault_s = {model.model_fields['path_fault_s'].default}" in page
    assert f"{MqttPath.model_fields['keepalive_s'].default} s by default" in page


def test_links_between_the_pages_work() -> None:
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)", text):
            assert (DOCS / target).exists(), f"{page}: {target}"


def test_the_code_shown_works() -> None:
    source = next(body for _, kind, _, body in BLOCKS if kind == "python" and "def whole" in body)
    names: dict[str, Any] = {}
    exec(compile(source, "alarm-center.md", "exec"), names)  # noqa: S102
    for case in FILES["records.json"]["faulty"]:
        assert names["whole"](case["record"]) == (case["wrong"] == [])
