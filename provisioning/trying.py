"""`fenghuo try siren|battery|path|camera`: a part of a running panel is tried, and its own record is the result.

Each begins with a code and ends by itself on the panel, whatever becomes of this command.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.messages import AskDelivered, AskDrivers, AskRecords, AskStatus, AskTried, RunTest
from provisioning import codes
from provisioning.technician import NoAnswer, Technician, connected
from provisioning.terminal import run
from provisioning.trying_camera import Shot, shot
from provisioning.users import DEFAULT_CONFIG, CodeStdin, Config

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_FAILED = 1
EXIT_NOT_UNDERSTOOD = 2
EXIT_STOPPED = 130
LOOK_S = 0.1
RECORD_S = 15.0
"""A record is durable within this, or the panel has a trouble that is greater than the test."""
BATTERY_MARGIN_S = 20
EVIDENCE = "evidence"
"""Below the data folder."""

_SOUNDED: Text = ("{outputs}: on for {seconds:.0f} s", "{outputs}：已启动 {seconds:.0f} 秒")
_NO_SIREN: Text = ("no siren is in these areas", "这些区域没有警号")
_OUTPUT: Text = ("{output}: {error}", "{output}：{error}")
_BATTERY_WAITS: Text = ("the load test runs, up to {seconds} s", "正在进行负载测试，最长 {seconds} 秒")
_BATTERY: tuple[Text, Text] = (
    ("the battery failed: {detail}", "蓄电池未通过：{detail}"),
    ("the battery passed: {detail}", "蓄电池通过：{detail}"),
)
_RECEIPTED: Text = (
    "{path}: receipt verified {ms} ms after the record (status {seq})",
    "{path}：记录后 {ms} 毫秒收到并验证回执（status {seq}）",
)
_NO_RECEIPT: Text = (
    "no receipt of the center within {seconds} s (status {seq}); it stays in the journal and goes on being sent",
    "{seconds} 秒内未收到中心回执（status {seq}）；记录保留并继续发送",
)
_OTHER: dict[str, Text] = {
    "idle": ("{path}: not used by this report, no trouble stands", "{path}：本次未使用，无故障"),
    "fault": ("{path}: trouble stands", "{path}：存在故障"),
}
_TRYING: Text = ("{path}: a report goes out", "{path}：正在发送测试报告")
_NO_RECEIPT_BY: Text = (
    "{path}: no receipt within {seconds} s (status {seq}); it stays in the journal and goes on being sent",
    "{path}：{seconds} 秒内未收到回执（status {seq}）；记录保留并继续发送",
)
_ANOTHER: Text = (
    "{path}: it does not work, {other} carried the report instead (status {seq})",
    "{path}：不可用，报告改由 {other} 传送（status {seq}）",
)
_SENT: Text = (
    "{path}: the network took a test message after {ms} ms; the center's first number has it to confirm",
    "{path}：{ms} 毫秒后网络已接收测试短信；请中心首个号码确认收到",
)
_NOT_SENT: Text = ("{path}: no test message went out: {why}", "{path}：测试短信未发出：{why}")
_MODEM_SILENT: Text = ("the modem did not take it within {seconds} s", "模块在 {seconds} 秒内未接收")
_NOT_A_PATH: Text = (
    "--path {id}: not a path of {file}; expected {known}",
    "--path {id}：{file} 中无此路径；应为 {known}",
)
_NO_PATH: Text = ("{file} has no [[path]] to a center", "{file} 中没有通往中心的 [[path]]")
_NO_CAMERAS: Text = ("{file} has no [[camera]]", "{file} 中没有 [[camera]]")
_NO_CAMERA: Text = (
    "--camera {id}: not a camera of {file}; expected {known}",
    "--camera {id}：{file} 中无此摄像机；应为 {known}",
)
_LOOKING: Text = ("{id}: taking pictures", "{id}：正在抓拍")
_NOT_RECORDED: Text = (
    "the panel did not record the test within {seconds:.0f} s",
    "主机在 {seconds:.0f} 秒内未记录测试",
)
_STOPPED: Text = ("stopped watching; the test ends on the panel by itself", "已停止等待；测试将在主机上自行结束")


def main(argv: Sequence[str]) -> int:
    """Try a part of a running panel. 测试主机部件。"""
    return run(app, argv, "fenghuo try")


@app.callback()
def _group() -> None:
    """Try a part of a running panel, with your code. 输入密码测试主机部件。

    Exit code 0: it works. 1: it does not, or the panel refused. 2: not understood. 130: Ctrl-C.
    """


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="Only this area; may be repeated. 仅此区域，可重复。")]


@dataclass(frozen=True)
class Result:
    """What a test gave: for a program, and as lines for a person."""

    ok: bool
    figures: Mapping[str, Any]
    lines: Sequence[str]


@app.command()
def siren(
    areas: Areas = None, as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Sound the sirens of your disarmed areas for some seconds. 短时启动警号。

    Example: fenghuo try siren --area hall --config panel.toml
    """
    _try(config, code_stdin, as_json, "siren-test", _siren, areas or [])


@app.command()
def battery(as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG) -> None:
    """Put the load test on the battery, and tell its voltage. 蓄电池负载测试。

    Example: fenghuo try battery --config panel.toml
    """
    _try(config, code_stdin, as_json, "battery-test", _battery, [])


@app.command()
def path(
    paths: Annotated[
        list[str] | None, typer.Option("--path", help="By this very path; may be repeated. 指定路径，可重复。")
    ] = None,
    seconds: Annotated[int, typer.Option("--for", min=1, max=600, help="Wait so long. 等待秒数。")] = 60,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Send a test report and wait for the center's signed receipt. 发送测试报告并等待中心签名回执。

    Without --path it goes by the path that is in use; of the others it tells whether a trouble stands.
    Example: fenghuo try path --config panel.toml
    Each one: fenghuo try path --path center-1 --path center-2
    """
    wanted = paths or []
    then = (lambda on: _each_path(on, wanted, seconds)) if wanted else (lambda on: _path(on, seconds))
    _try(config, code_stdin, as_json, "path-test", then, [], paths=wanted)


@app.command()
def camera(
    cameras: Annotated[
        list[str] | None, typer.Option("--camera", help="Only this one; may be repeated. 仅此摄像机，可重复。")
    ] = None,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Take a picture with each camera now, and tell how it is. 每台摄像机立即抓拍并评估画面。

    Size, brightness, sharpness, whether a person was seen, how long it took, and where the file lies.
    Example: fenghuo try camera --camera lobby --config panel.toml
    """
    _try(config, code_stdin, as_json, "camera-test", lambda on: _cameras(on, cameras or []), [], cameras or [])


@dataclass(frozen=True)
class _Running:
    """A test that the panel has begun. `seq`: the last record before it."""

    panel: Technician
    loaded: Loaded
    seq: int
    as_json: bool
    code: str = ""


Test = Literal["siren-test", "battery-test", "path-test", "camera-test"]


def _try(
    config: Path,
    code_stdin: bool,
    as_json: bool,
    test: Test,
    then: Callable[[_Running], Result],
    areas: list[str],
    cameras: Sequence[str] = (),
    paths: Sequence[str] = (),
) -> None:
    try:
        loaded = load(config)
        if test == "path-test" and not loaded.file.path:
            _fail(pick(_NO_PATH, file=loaded.path.name), EXIT_NOT_UNDERSTOOD)
        _check_cameras(loaded, test, cameras)
        _check_paths(loaded, paths)
        with connected(loaded) as panel:
            code = (codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()).existing(codes.MANAGER)
            seq = panel.ask(AskStatus()).detail.get("seq")
            if test != "camera-test" and not paths:  # these are asked for one by one
                panel.ask(RunTest(test=test, areas=areas, code=code))
            result = then(_Running(panel, loaded, seq if isinstance(seq, int) else 0, as_json, code))
    except (BadPanelFile, codes.BadCode, ValueError) as error:
        _fail(str(error), EXIT_NOT_UNDERSTOOD)
    except NoAnswer as error:
        _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        _fail(pick(_STOPPED), EXIT_STOPPED)
    _tell(result, as_json)


def _check_cameras(loaded: Loaded, test: Test, cameras: Sequence[str]) -> None:
    there = [camera.id for camera in loaded.file.camera]
    if test == "camera-test" and not there:
        _fail(pick(_NO_CAMERAS, file=loaded.path.name), EXIT_NOT_UNDERSTOOD)
    for camera in cameras:
        if camera not in there:
            known = ", ".join(there)
            _fail(pick(_NO_CAMERA, id=camera, file=loaded.path.name, known=known), EXIT_NOT_UNDERSTOOD)


def _check_paths(loaded: Loaded, paths: Sequence[str]) -> None:
    there = [path.id for path in loaded.file.path]
    for path in paths:
        if path not in there:
            known = ", ".join(there)
            _fail(pick(_NOT_A_PATH, id=path, file=loaded.path.name, known=known), EXIT_NOT_UNDERSTOOD)


def _fail(why: str, code: int) -> NoReturn:
    print(why, file=sys.stderr)
    raise typer.Exit(code)


def _tell(result: Result, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": result.ok, **result.figures}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(result.lines))
    raise typer.Exit(0 if result.ok else EXIT_FAILED)


def _siren(on: _Running) -> Result:
    record = _record(on, "test.siren", RECORD_S)
    outputs, for_ms = list(record["payload"]["outputs"]), int(record["payload"]["for_ms"])
    if not outputs:
        return Result(False, {"outputs": []}, [pick(_NO_SIREN)])
    _record(on, "test.siren-ended", for_ms / 1000 + RECORD_S)
    errors = {output: error for output, error in _output_errors(on.panel) if output in outputs}
    lines = [pick(_SOUNDED, outputs=", ".join(outputs), seconds=for_ms / 1000)]
    lines += [pick(_OUTPUT, output=output, error=error) for output, error in errors.items()]
    return Result(not errors, {"outputs": outputs, "for_ms": for_ms, "errors": errors}, lines)


def _output_errors(panel: Technician) -> Iterator[tuple[str, str]]:
    """Outputs that a driver could not switch."""
    drivers = panel.ask(AskDrivers()).detail.get("drivers")
    for figures in drivers.values() if isinstance(drivers, dict) else ():
        for output, figure in (figures.get("outputs") or {}).items():
            if isinstance(figure, dict) and figure.get("error"):
                yield str(output), str(figure["error"])


def _battery(on: _Running) -> Result:
    limit = on.loaded.file.timings.battery_test_s
    if not on.as_json:
        print(pick(_BATTERY_WAITS, seconds=limit), file=sys.stderr)
    payload = _record(on, "test.battery-ended", limit + BATTERY_MARGIN_S)["payload"]
    ok, detail = bool(payload["ok"]), str(payload["detail"])
    return Result(ok, {"detail": detail}, [pick(_BATTERY[ok], detail=detail)])


def _cameras(on: _Running, wanted: Sequence[str]) -> Result:
    """One after another: two at once would share the processor, and neither's time would be its own."""
    figures: dict[str, Any] = {}
    lines: list[str] = []
    for camera in wanted or [each.id for each in on.loaded.file.camera]:
        if not on.as_json:
            print(pick(_LOOKING, id=camera), file=sys.stderr)
        found = _one_camera(on, camera)
        figures[camera] = {"ok": found.ok, **found.figures}
        lines += found.lines
    return Result(all(one["ok"] for one in figures.values()), {"cameras": figures}, lines)


def _one_camera(on: _Running, camera: str) -> Shot:
    since = time.monotonic()
    answer = on.panel.ask(RunTest(test="camera-test", camera=camera, code=on.code))
    after = [on.seq]

    def records() -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = on.panel.ask(AskRecords(after=after[0])).detail["records"]
        if found:
            after[0] = int(found[-1]["header"]["seq"])
        return found

    return shot(camera, int(answer.detail["incident"]), on.loaded.data / EVIDENCE, records, since)


def _path(on: _Running, seconds: int) -> Result:
    header = _record(on, "test.manual", RECORD_S)["header"]
    journal, lane, seq = header["journal"], header["lane"], header["lane_seq"]
    found = _receipt(on.panel, AskDelivered(journal=journal, lane=lane, lane_seq=seq), seconds)
    carrier = str(found["path"]) if found else ""
    others = _others(on, carrier)
    figures: dict[str, Any] = {"journal": journal, "lane": lane, "lane_seq": seq, "paths": others}
    lines = [pick(_OTHER[state], path=id_) for id_, state in others.items() if state in _OTHER]
    if found is None:
        return Result(False, figures, [pick(_NO_RECEIPT, seconds=seconds, seq=seq), *lines])
    ms = int(found["monotonic_ms"]) - int(header["monotonic_ms"])
    first = pick(_RECEIPTED, path=carrier, ms=ms, seq=seq)
    return Result(True, {**figures, "path": carrier, "receipt_ms": ms}, [first, *lines])


def _each_path(on: _Running, wanted: Sequence[str], seconds: int) -> Result:
    figures: dict[str, Any] = {}
    lines: list[str] = []
    for id_ in wanted:
        if not on.as_json:
            print(pick(_TRYING, path=id_), file=sys.stderr)
        short = next(path for path in on.loaded.file.path if path.id == id_).kind == "sms"
        ok, told, said = _one_message(on, id_, seconds) if short else _one_path(on, id_, seconds)
        figures[id_] = {"ok": ok, **told}
        lines += said
    return Result(all(one["ok"] for one in figures.values()), {"paths": figures}, lines)


def _one_message(on: _Running, id_: str, seconds: int) -> tuple[bool, dict[str, Any], list[str]]:
    """A path of short messages sends one to the center's first number: taken by the network, or not."""
    since = time.monotonic()
    on.panel.ask(RunTest(test="path-test", path=id_, code=on.code))
    while not (found := on.panel.ask(AskTried(path=id_)).detail) and time.monotonic() - since < seconds:
        time.sleep(LOOK_S)
    state, ms = str(found.get("state", "")), round((time.monotonic() - since) * 1000)
    told = {"state": state, "detail": str(found.get("text", "")), "ms": ms}
    if state in ("sent", "delivered"):
        return True, told, [pick(_SENT, path=id_, ms=ms)]
    why = told["detail"] or pick(_MODEM_SILENT, seconds=seconds)
    return False, told, [pick(_NOT_SENT, path=id_, why=why)]


def _one_path(on: _Running, id_: str, seconds: int) -> tuple[bool, dict[str, Any], list[str]]:
    seq = on.panel.ask(AskStatus()).detail.get("seq")
    on.panel.ask(RunTest(test="path-test", path=id_, code=on.code))
    header = _record(replace(on, seq=int(seq or 0)), "test.manual", RECORD_S)["header"]
    journal, lane, number = header["journal"], header["lane"], header["lane_seq"]
    found = _receipt(on.panel, AskDelivered(journal=journal, lane=lane, lane_seq=number), seconds)
    told: dict[str, Any] = {"journal": journal, "lane": lane, "lane_seq": number}
    if found is None:
        return False, told, [pick(_NO_RECEIPT_BY, path=id_, seconds=seconds, seq=number)]
    ms = int(found["monotonic_ms"]) - int(header["monotonic_ms"])
    told |= {"carried": found["path"], "receipt_ms": ms}
    if found["path"] != id_:
        return False, told, [pick(_ANOTHER, path=id_, other=found["path"], seq=number)]
    return True, told, [pick(_RECEIPTED, path=id_, ms=ms, seq=number)]


def _receipt(panel: Technician, asked: AskDelivered, seconds: float) -> Mapping[str, Any] | None:
    end = time.monotonic() + seconds
    while True:
        detail = panel.ask(asked).detail
        if detail.get("delivered"):
            return detail
        if time.monotonic() >= end:
            return None
        time.sleep(LOOK_S)


def _others(on: _Running, carrier: str) -> dict[str, str]:
    """Each path of the file: it carried the report, a trouble stands on it, or it was idle."""
    troubles = on.panel.ask(AskDrivers()).detail.get("troubles") or {}
    states = {p.id: "fault" if f"path:{p.id}" in troubles else "idle" for p in on.loaded.file.path}
    return {**states, carrier: "carried"} if carrier in states else states


def _record(on: _Running, kind: str, seconds: float) -> Mapping[str, Any]:
    """The first durable record of this kind since the test began. Raises `NoAnswer` when none comes."""
    end, seq = time.monotonic() + seconds, on.seq
    while True:
        records = on.panel.ask(AskRecords(after=seq)).detail["records"]
        for record in records:
            seq = record["header"]["seq"]
            if record["header"]["kind"] == kind:
                found: Mapping[str, Any] = record
                return found
        if time.monotonic() >= end:
            raise NoAnswer(pick(_NOT_RECORDED, seconds=seconds))
        if not records:
            time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
