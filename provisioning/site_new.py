"""`fenghuo site new`: a panel file for a new site, made from a commented example and a few answers.

Whatever is answered, the file passes `fenghuo site check` before it is written; until then nothing is.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware.config import checked
from firmware.config.models import MqttPath, Panel
from firmware.language import Text, pick
from provisioning.questions import NoMoreAnswers, agreed, ask, need_terminal, one_of
from provisioning.site_text import (
    mistakes_in,
    value_of,
    with_key,
    without_everywhere,
    without_key,
    write_new,
    write_whole,
)

KINDS = ("bank", "warehouse", "school", "empty")
_FOLDER = Path(__file__).parent / "site_kinds"
EXIT_REFUSED, EXIT_WRONG = 1, 2
_TLS = '{ ca = "keys/center-ca.pem", certificate = "keys/uplink.pem", key = "keys/uplink.key" }'

_KIND: Text = ("Kind of site: bank, warehouse, school or empty", "站点类型：bank、warehouse、school 或 empty")
_THERE: Text = (
    "{file} exists. Replace it, and keep the old one as {file}.old?",
    "{file} 已存在。是否替换并将旧文件存为 {file}.old？",
)
_EXISTS: Text = (
    "{file} exists and was left as it is; --replace writes a new one and keeps it as {file}.old",
    "{file} 已存在，未改动；--replace 写入新文件并将其存为 {file}.old",
)
_CANT_WRITE: Text = ("{file} can't be written: {why}. Nothing has changed", "无法写入 {file}：{why}。未作任何更改")
_NEEDED: Text = ("--yes needs {options}", "使用 --yes 时需要 {options}")
_WRITTEN: Text = ("{file} is written. SHA-256 {sha256}", "{file} 已写入。SHA-256 {sha256}")
_KEPT: Text = ("The one before is {file}", "之前的文件为 {file}")
_LEFT: Text = ("Still to do:", "仍需完成：")
_LEFT_KEYS: Text = (
    "[center]: the keys are EXAMPLES; ask the center for its receipt and command keys",
    "[center]：密钥为示例；请向接警中心索取回执与命令公钥",
)
_LEFT_HOST: Text = ("[[path]]: the center's address is an example", "[[path]]：中心地址为示例")
_LEFT_IDS: Text = (
    "gb28181_id of zones and outputs: the center gives them, one for each",
    "防区和输出的 gb28181_id：由中心逐一分配",
)
_LEFT_WIRES: Text = (
    "Zones, outputs and lines as they are on site; then: fenghuo site check {file}",
    "按现场修改防区、输出和接线；然后运行：fenghuo site check {file}",
)


@dataclass(frozen=True)
class Question:
    """One answer: its option, the keys of the file that it sets, and how it is asked for."""

    option: str
    keys: tuple[str, ...]
    text: Text
    needed: bool = False
    listed: bool = False


QUESTIONS = (
    Question("id", ("panel.id",), ("Panel id, as the center knows it", "主机编号（与中心一致）"), needed=True),
    Question("name", ("panel.name",), ("Name of the site", "站点名称"), needed=True),
    Question("timezone", ("panel.timezone",), ("Time zone", "时区")),
    Question("host", ("path.1.host",), ("Address of the alarm center", "接警中心地址")),
    Question("port", ("path.1.port",), ("Its port, TLS", "端口（TLS）")),
    Question("receipt-key", ("center.receipt_keys",), ("The center's receipt key", "中心回执公钥"), listed=True),
    Question("command-key", ("center.command_keys",), ("The center's command key", "中心命令公钥"), listed=True),
    Question(
        "gb28181", ("panel.gb28181_id",), ("GB/T 28181 id of the panel, - for none", "主机 GB/T 28181 编码，无则填 -")
    ),
)
NONE = "-"


class Wrong(Exception):
    """An answer that can't be used, in words."""


def new(
    file: Annotated[Path, typer.Argument(help="Where to write it. 写入位置。", metavar="FILE")] = Path("panel.toml"),
    kind: Annotated[str | None, typer.Option("--kind", help=f"{', '.join(KINDS)}. 站点类型。")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The panel's id. 主机编号。")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The site's name. 站点名称。")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="As Asia/Shanghai. 时区。")] = None,
    host: Annotated[str | None, typer.Option("--host", help="The center's address. 中心地址。")] = None,
    port: Annotated[str | None, typer.Option("--port", help="The center's port. 中心端口。")] = None,
    receipt_key: Annotated[str | None, typer.Option("--receipt-key", help="Public key: JWK x. 回执公钥。")] = None,
    command_key: Annotated[str | None, typer.Option("--command-key", help="Public key: JWK x. 命令公钥。")] = None,
    gb28181: Annotated[str | None, typer.Option("--gb28181", help="20 digits, or -. 主机 20 位编码。")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; defaults for the rest. 不询问，其余取默认。")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Over a file, kept as FILE.old. 替换并保留旧文件。")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file only. 仅显示文件。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with --yes. 输出 JSON。")] = False,
) -> None:
    """Make a panel file for a new site; what no option answers is asked. 新建站点配置文件，未给出的选项将逐一询问。

    Exit code 0: written. 1: refused, nothing changed. 2: an answer can't be used. 130: interrupted, nothing written.
    Example: fenghuo site new --kind bank --id bank-0042 --name "Sunrise Bank, Heping Road" --yes
    """
    given = {
        "kind": kind,
        "id": id_,
        "name": name,
        "timezone": timezone,
        "host": host,
        "port": port,
        "receipt-key": receipt_key,
        "command-key": command_key,
        "gb28181": gb28181,
    }
    answers = {option: value for option, value in given.items() if value is not None}
    try:
        text, left = _make(file, answers, yes, as_json)
        if dry_run:
            print(text, end="")
            return
        old = _write(file, text, replace, asking=not yes)
    except (Wrong, NoMoreAnswers) as wrong:
        _refuse(str(wrong), EXIT_WRONG, as_json)
    except FileExistsError:
        _refuse(pick(_EXISTS, file=file), EXIT_REFUSED, as_json)
    except OSError as error:
        _refuse(pick(_CANT_WRITE, file=file, why=error.strerror), EXIT_REFUSED, as_json)
    _tell(file, text, left, old, as_json)


def _make(file: Path, answers: Mapping[str, str], yes: bool, as_json: bool) -> tuple[str, list[Text]]:
    """The file's text, and what is left to do by hand. Raises `Wrong`, `NoMoreAnswers`."""
    if yes:
        missing = [f"--{option}" for option in ("kind", "id", "name") if option not in answers]
        if missing:
            raise Wrong(pick(_NEEDED, options=", ".join(missing)))
    elif as_json:
        raise Wrong(pick(_NEEDED, options="--json: --yes"))
    kind, pending = _kind(answers, yes), [question for question in QUESTIONS if question.option not in answers]
    text = _plain((_FOLDER / f"{kind}.toml").read_text(encoding="utf-8"))
    for question in QUESTIONS:
        if question.option in answers:
            text = _answered(file, text, question, answers[question.option])
    if not yes:
        need_terminal()
        for question in pending:
            text = _ask(file, text, question)
    return text, _left(kind, text)


def _kind(answers: Mapping[str, str], yes: bool) -> str:
    wrong = one_of(KINDS)
    if "kind" not in answers and not yes:
        need_terminal()
        return ask(_KIND, KINDS[0], wrong)
    if why := wrong(answers["kind"]):
        raise Wrong(f"--kind: {why}")
    return answers["kind"]


def _plain(text: str) -> str:
    """An example without what belongs to its own site alone: ids that a center gave, and a path without TLS."""
    text = without_everywhere(text, "gb28181_id")
    found = tomllib.loads(text)
    if "gb28181_id" in found["panel"]:
        text = without_key(text, "panel.gb28181_id")
    secure = "tls" in found["path"][0]
    if not secure:
        text = with_key(without_key(text, "path.1.plaintext"), "path.1.tls", value_of(_TLS))
    if not (secure and "port" in found["path"][0]):
        text = with_key(text, "path.1.port", MqttPath.model_fields["port"].default)
    return text


def _with(text: str, question: Question, answer: str) -> str:
    if answer == NONE and question.option == "gb28181":
        return text
    value: Any = (
        [answer] if question.listed else int(answer) if question.option == "port" and answer.isdecimal() else answer
    )
    for key in question.keys:
        text = with_key(text, key, value)
    return text


def _answered(file: Path, text: str, question: Question, answer: str) -> str:
    changed = _with(text, question, answer)
    if why := mistakes_in(file, changed):
        raise Wrong(f"--{question.option}: {why}")
    return changed


def _ask(file: Path, text: str, question: Question) -> str:
    """Every mistake in a file that was fine before is the answer's."""
    answer = ask(question.text, _default(text, question), lambda typed: mistakes_in(file, _with(text, question, typed)))
    return _with(text, question, answer)


def _default(text: str, question: Question) -> str:
    here: Any = tomllib.loads(text)
    for part in question.keys[0].split("."):
        here = here[int(part) - 1] if isinstance(here, list) else here.get(part)
    if question.option == "timezone" and here is None:
        return str(Panel.model_fields["timezone"].default)
    return NONE if here is None else str(here[0] if isinstance(here, list) else here)


def _left(kind: str, text: str) -> list[Text]:
    """What the answers did not settle: what still stands as in the example."""
    example = tomllib.loads((_FOLDER / f"{kind}.toml").read_text(encoding="utf-8"))
    made = tomllib.loads(text)
    keys = any(made["center"][name] == example["center"][name] for name in ("receipt_keys", "command_keys"))
    hosts = {path["host"] for path in made["path"]} & {path["host"] for path in example["path"]}
    said = {_LEFT_KEYS: keys, _LEFT_HOST: bool(hosts), _LEFT_IDS: "gb28181_id" in made["panel"], _LEFT_WIRES: True}
    return [text for text, there in said.items() if there]


def _write(file: Path, text: str, replace: bool, asking: bool) -> Path | None:
    if file.exists() and not replace and asking:
        if not agreed(_THERE, file=file):
            raise FileExistsError
        replace = True
    if replace:
        return write_whole(file, text, keep=True)
    write_new(file, text)
    return None


def _tell(file: Path, text: str, left: list[Text], old: Path | None, as_json: bool) -> None:
    loaded = checked(file, text.encode())
    if as_json:
        said = [{"en": en.format(file=file), "zh": zh.format(file=file)} for en, zh in left]
        result = {
            "file": str(file),
            "ok": True,
            "sha256": loaded.sha256,
            "old": str(old) if old else None,
            "left": said,
        }
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    print(pick(_WRITTEN, file=file, sha256=loaded.sha256))
    if old is not None:
        print(pick(_KEPT, file=old))
    print(pick(_LEFT))
    for text_ in left:
        print(f"  - {pick(text_, file=file)}")


def _refuse(why: str, code: int, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": False, "why": why}, ensure_ascii=False, indent=2))
    else:
        print(why, file=sys.stderr)
    raise typer.Exit(code)
