"""`fenghuo desk`: the installer's fingers on a simulated panel, through the desk socket of core.

Where core is not running, the simulated site is changed in its file: a door can be opened while the panel is down, and
the panel must notice when it comes back.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from rich.console import Console

from drivers.pins import DriverError
from drivers.wiring import MEANT, Position
from firmware.config import BadPanelFile, Loaded, load
from firmware.core.simulated import simulated_world
from firmware.language import Text, pick
from firmware.protocol import messages as m
from firmware.protocol.lines import Client, LineTooLong
from hil import desk_texts as texts
from hil import desk_view

ANSWER_S = 5.0
KEYPAD_S = 3.0
DEFAULT_FOLDER = Path("fenghuo-demo")
POSITIONS = ("open", "close", "cut", "short", "mask", "unpowered")
WISHES: tuple[str, ...] = get_args(m.WishName)

Show: TypeAlias = Callable[[dict[str, Any]], None]


class Refused(Exception):
    """It could not be done; `str` says why, in the user's language. Exit code 1."""

    def __init__(self, text: Text, /, **values: object) -> None:
        super().__init__(pick(text, **values))


def main(argv: Sequence[str]) -> int:
    """Play the installer's fingers on a simulated panel. 在模拟主机上充当安装人员的双手。"""
    try:
        words = _parser().parse_args(list(argv), argparse.Namespace(dir=DEFAULT_FOLDER, json=False))
    except SystemExit as end:
        return int(end.code or 0)
    try:
        message = _message(words)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        print(pick(texts.USAGE, why=why), file=sys.stderr)
        return 2
    try:
        return _carry_out(words, message)
    except (Refused, LineTooLong) as error:
        print(error, file=sys.stderr)
    except DriverError as error:
        print(pick(error.text), file=sys.stderr)
    except OSError as error:
        print(pick(texts.LOST, why=error), file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    return 1


def _carry_out(words: argparse.Namespace, message: BaseModel) -> int:
    loaded = _panel(words.dir)
    try:
        client = Client(loaded.run / "desk.sock")
    except OSError:
        _without_core(loaded, words, message)
        return 0
    try:
        _with_core(client, loaded, words, message)
    finally:
        client.close()
    return 0


def _panel(folder: Path) -> Loaded:
    path = folder / "panel.toml"
    if not path.is_file():
        raise Refused(texts.NO_FILE, path=path)
    try:
        loaded = load(path)
    except BadPanelFile as error:
        raise Refused(texts.BAD_FILE, path=path, why=error) from error
    if loaded.file.panel.pins != "simulated":
        raise Refused(texts.NOT_SIMULATED, path=path, pins=loaded.file.panel.pins)
    return loaded


# --- core runs ----------------------------------------------------------------------------------------------


def _with_core(client: Client, loaded: Loaded, words: argparse.Namespace, message: BaseModel) -> None:
    if isinstance(message, m.Watch):
        _watch(client, words.json)
    elif isinstance(message, m.Code):
        _type(client, message, words.json)
    else:
        client.send(message)
        _told(loaded, words, message, _answer(client))


def _answer(client: Client, aside: Show = lambda _line: None) -> dict[str, Any]:
    """The answer to what was sent last; what is seen before it goes to `aside`. Raises `Refused`."""
    for line in _lines(client, ANSWER_S):
        if line.get("type") == "seen":
            aside(line)
        elif line.get("type") == "answer" and line.get("ok"):
            detail = line.get("detail")
            return detail if isinstance(detail, dict) else {}
        else:
            raise _refusal(line)
    raise Refused(texts.SILENT, seconds=int(ANSWER_S))


def _lines(client: Client, seconds: float) -> Iterator[dict[str, Any]]:
    """What comes within so many seconds."""
    limit = time.monotonic() + seconds
    while (line := client.receive(max(0.0, limit - time.monotonic()))) is not None:
        yield line


def _refusal(line: dict[str, Any]) -> Refused:
    reason, detail = str(line.get("reason", "")), line.get("detail")
    values = dict(detail) if isinstance(detail, dict) else {}
    if isinstance(values.get("known"), list):
        values["known"] = ", ".join(str(zone) for zone in values["known"])
    try:
        texts.REFUSED[reason][0].format(**values)
        return Refused(texts.REFUSED[reason], **values)
    except KeyError:  # a reason that is not known here, or one without its detail
        return Refused(texts.OTHERWISE, reason=reason)


def _told(loaded: Loaded, words: argparse.Namespace, message: BaseModel, detail: dict[str, Any]) -> None:
    if words.json:
        print(json.dumps(detail, ensure_ascii=False))
        return
    match message:
        case m.Move():
            print(pick(texts.MOVED, zone=message.zone, position=message.position))
            _warn_blind(str(detail.get("wiring")), message.position, str(detail.get("seen")), detail.get("visible"))
        case m.Press():
            print(pick(texts.PRESSED, zone=message.zone, hold_ms=message.hold_ms))
        case m.Mains():
            print(pick(texts.MAINS, state=desk_view.on_off(message.on)))
        case m.SetSupply():
            print(pick(texts.SUPPLY, values=desk_view.supply(detail.get("supply"))))
        case _:
            zones = {zone.id: (zone.number, zone.name) for zone in loaded.file.zone}
            desk_view.status(Console(), detail, zones)


def _warn_blind(wiring: str, position: str, seen: str, visible: Any) -> None:
    if visible is False:
        print(pick(texts.BLIND, wiring=wiring, position=position, seen=seen))


def _type(client: Client, code: m.Code, as_json: bool) -> None:
    """Type the code, and show what the keypad shows."""
    shown: list[dict[str, Any]] = []
    client.send(m.Watch())
    _answer(client)
    client.send(code)
    _answer(client, shown.append)
    for line in chain(shown, _lines(client, KEYPAD_S)):
        value = line.get("value")
        if line.get("what") == "tell" and isinstance(value, dict) and value.get("source") == code.source:
            print(json.dumps(line, ensure_ascii=False) if as_json else desk_view.keypad(line))
            return
    print(json.dumps({}) if as_json else f"{pick(texts.TYPED)} {pick(texts.NO_REPLY, seconds=int(KEYPAD_S))}")


def _watch(client: Client, as_json: bool) -> None:
    client.send(m.Watch())
    if not as_json:
        print(pick(texts.WATCHING), file=sys.stderr)
    while line := client.receive():
        if line.get("type") == "seen":
            print(json.dumps(line, ensure_ascii=False) if as_json else desk_view.seen(line), flush=True)


# --- core does not run ----------------------------------------------------------------------------------------


def _without_core(loaded: Loaded, words: argparse.Namespace, message: BaseModel) -> None:
    """Change the simulated site in its file, where that is what was asked."""
    if not isinstance(message, m.Move | m.Mains | m.SetSupply):
        raise Refused(texts.NOT_RUNNING, folder=words.dir)
    world = simulated_world(loaded)
    detail: dict[str, Any] = {}
    if isinstance(message, m.Mains):
        world.set_mains(message.on)
    elif isinstance(message, m.SetSupply):
        world.set_supply(message.values())
        detail = {"supply": dict(world.supply.values)}
    elif message.zone not in world.zones:
        raise Refused(texts.REFUSED["unknown-zone"], zone=message.zone, known=", ".join(world.zones))
    else:
        position = Position(message.position)
        world.move(message.zone, position)
        seen = world.seen(message.zone, position)
        detail = {"wiring": world.wiring(message.zone), "seen": str(seen), "visible": seen is MEANT[position]}
    _told(loaded, words, message, {**detail, "running": False})
    print(pick(texts.KEPT), file=sys.stderr)


# --- words ------------------------------------------------------------------------------------------------------


def _message(words: argparse.Namespace) -> BaseModel:
    """The message for these words; raises `ValidationError`."""
    match words.act:
        case "press":
            return m.Press(zone=words.zone, hold_ms=words.hold_ms)
        case "code":
            return m.Code(
                digits=words.digits,
                wish=words.wish,
                areas=words.area,
                zone=words.bypass_zone,
                source=words.keypad,
                part=words.part,
                instant=words.instant,
                override=words.override,
                quiet=words.quiet,
                hold_up=words.hold_up,
            )
        case "mains":
            return m.Mains(on=words.state == "on")
        case "battery":
            return _battery(words)
        case "board":
            return _board(words)
        case "status":
            return m.AskDesk()
        case "watch":
            return m.Watch()
        case position:
            return m.Move(zone=words.zone, position=position)


def _battery(words: argparse.Namespace) -> m.SetSupply:
    if words.volts == "auto":
        return m.SetSupply(auto=True)
    mv = {"battery_mv": _milli(words.volts), "loaded_mv": _milli(words.loaded)}
    return m.SetSupply(**mv, ma=words.ma, celsius=words.celsius)


def _board(words: argparse.Namespace) -> m.SetSupply:
    match words.state:
        case "under-voltage":
            return m.SetSupply(under_voltage=True)
        case "hot":
            return m.SetSupply(board_c=words.celsius)
        case _:
            return m.SetSupply(under_voltage=False, board_c=45)


def _milli(volts: str | None) -> Any:
    """Millivolts; what is no number stays as it is, for the message to refuse."""
    try:
        return None if volts is None else round(float(volts) * 1000)
    except (ValueError, OverflowError):
        return volts


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help=texts.HELP["dir"])
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=texts.HELP["json"])
    parser = argparse.ArgumentParser(prog="fenghuo desk", description=texts.ABOUT, parents=[common])
    acts = parser.add_subparsers(dest="act", required=True, metavar="...")

    def act(name: str) -> argparse.ArgumentParser:
        return acts.add_parser(name, help=texts.HELP[name], description=texts.HELP[name], parents=[common])

    for position in POSITIONS:
        act(position).add_argument("zone", help=texts.HELP["zone"])
    press = act("press")
    press.add_argument("zone", help=texts.HELP["zone"])
    press.add_argument("--hold-ms", type=int, default=1000, help=texts.HELP["hold-ms"])
    code = act("code")
    code.add_argument("digits", help=texts.HELP["code"])
    code.add_argument("--wish", choices=WISHES, default="toggle", help=texts.HELP["wish"])
    code.add_argument("--area", action="append", default=[], help=texts.HELP["area"])
    code.add_argument("--zone", dest="bypass_zone", default="", help=texts.HELP["zone"])
    code.add_argument("--keypad", default="keypad-1", help=texts.HELP["keypad"])
    code.add_argument("--part", default="", help=texts.HELP["part"])
    for flag in ("instant", "override", "quiet", "hold-up"):
        code.add_argument(f"--{flag}", action="store_true", help=texts.HELP[flag])
    act("mains").add_argument("state", choices=("on", "off"))
    battery = act("battery")
    battery.add_argument("volts", help=texts.HELP["volts"])
    battery.add_argument("--loaded", help=texts.HELP["loaded"])
    battery.add_argument("--ma", type=int, help=texts.HELP["ma"])
    battery.add_argument("--celsius", type=int, help=texts.HELP["celsius"])
    board = act("board")
    board.add_argument("state", choices=("well", "under-voltage", "hot"))
    board.add_argument("--celsius", type=int, default=90, help=texts.HELP["celsius"])
    act("status")
    act("watch")
    return parser
