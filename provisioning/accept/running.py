"""`fenghuo accept run`: leads through the completion acceptance of a site, step by step, and makes the report.

The steps are made from the panel file. Each is stored when it is done: Ctrl-C, a lost connection or a power cut cost
the step at hand, and the same command goes on with it.
"""

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.jws import KeyRing
from firmware.protocol.messages import Acceptance, AskStatus
from provisioning import codes
from provisioning.accept import proving, texts
from provisioning.accept.clauses import CLAUSES, RESPONSE_SAMPLES
from provisioning.accept.plan import Act, Step, plan
from provisioning.accept.playing import Player, Terms
from provisioning.accept.results import Broken, Run, load_run, save_run
from provisioning.accept.talking import Stopped, Talk, Typed
from provisioning.accept.watching import Panel, place
from provisioning.accept.words import step_name
from provisioning.journal_source import BadUse, sources
from provisioning.technician import NoAnswer, Technician, connected
from provisioning.terminal import console

EXIT_FAILED, EXIT_NOT_UNDERSTOOD, EXIT_STOPPED = 1, 2, 130
INSTALLER: Text = ("The installer's code: ", "安装员密码：")
_OTHER: Text = (
    "{folder} holds a run of another panel or another panel file; --new begins anew, or give another --dir",
    "{folder} 中为其他主机或其他配置文件的记录；请用 --new 重新开始，或另选 --dir",
)
_ARMED: Text = (
    "an area is armed or sounds: an acceptance needs everything disarmed",
    "有区域已布防或正在报警：验收须全部撤防",
)
_GOES_ON: Text = (
    "stopped after {done} of {all} steps; the same command goes on: fenghuo accept run --dir {folder}",
    "已停止，完成 {done}/{all} 步；用同一命令可继续：fenghuo accept run --dir {folder}",
)
_RESUMED: Text = ("{done} of {all} steps are done already", "已完成 {done}/{all} 步")
_STEP: Text = ("[{n}/{all}] {name}", "[{n}/{all}] {name}")
_RESULT: Text = ("    {outcome} {figures}", "    {outcome} {figures}")
_SUM: Text = (
    "{passed} passed, {failed} failed, {waived} waived",
    "合格 {passed}，不合格 {failed}，豁免 {waived}",
)
_GRANT: Text = (
    "A user must let the installer in again (grant at a keypad); then press Enter",
    "须由用户再次允许安装员操作（在键盘上授权），然后按回车键",
)
_CANT: Text = ("{file}: {why}", "{file}：{why}")
_HEADS: tuple[Text, ...] = (("step", "步骤"), ("what", "内容"), ("clause", "条款"))
_BY: Text = ("--by: {why}", "--by：{why}")

Config = Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")]
By = Annotated[str, typer.Option("--by", help="Who tests; it is recorded. 测试人员姓名，将被记录。", metavar="NAME")]
Folder = Annotated[Path, typer.Option("--dir", help="Where the run is kept. 工作目录。")]
CodeStdin = Annotated[bool, typer.Option("--code-stdin", help="The code is a line of input. 从输入读取密码。")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line. 每行一个 JSON 对象。")]


def run(
    by: By = "",
    config: Config = Path("panel.toml"),
    folder: Folder = Path("acceptance"),
    new: Annotated[bool, typer.Option("--new", help="Forget what is in --dir. 放弃已有记录。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps, do nothing. 仅显示步骤。")] = False,
    again: Annotated[
        list[str] | None, typer.Option("--again", help="Do this step once more; may be repeated. 重做该步骤。")
    ] = None,
    patience: Annotated[int, typer.Option(min=1, max=3600, help="Seconds that a step may take. 每步时限。")] = 120,
    samples: Annotated[
        int, typer.Option(min=1, max=500, help="Of the response time; fewer than 30 don't pass. 响应时间样本数。")
    ] = RESPONSE_SAMPLES,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
) -> None:
    """Run the completion acceptance: every zone, line, siren, camera and path. 竣工验收测试。

    All must be disarmed, and a user must have let the installer in. Results are kept in --dir; `fenghuo accept report`
    makes the signed report of them. Exit code 0: all passed or waived. 1: something failed, or the panel refused.
    2: not understood. 130: stopped, can go on.
    Example: fenghuo accept run --by "Wang Gong" --config panel.toml
    """
    with in_words():
        loaded = load(config)
        steps = plan(loaded.file)
        if dry_run:
            _show(steps, as_json)
            return
        typed = Typed(sys.stdin.fileno())
        talk = Talk(typed, as_json)
        with connected(loaded) as technician:
            code = asked_code(code_stdin, typed)
            sitting = _Sitting(loaded, folder, steps, technician, talk, code, by)
            done = sitting.play(new, again or [], Terms(by, float(patience), samples))
    talk.tell("end", _SUM, said=counts(done), dir=str(folder), **counts(done))
    raise typer.Exit(EXIT_FAILED if done.count("failed") else 0)


def asked_code(code_stdin: bool, typed: Typed, prompt: Text = INSTALLER) -> str:
    """The code that is asked for. Raises `BadCode`."""
    if code_stdin:
        return codes.Lines(typed).existing(prompt)  # type: ignore[arg-type]
    return codes.Keyboard().existing(prompt)


def counts(run_: Run) -> dict[str, object]:
    """How many steps came out how."""
    return {name: run_.count(name) for name in ("passed", "failed", "waived")}


@contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong is said in words, with its exit code."""
    try:
        yield
    except BadPanelFile as bad:
        _fail(bad.say(), EXIT_NOT_UNDERSTOOD)
    except (codes.BadCode, BadUse, Broken) as bad:
        _fail(str(bad), EXIT_NOT_UNDERSTOOD)
    except ValidationError as bad:
        _fail(pick(_BY, why=bad.errors()[0]["msg"]), EXIT_NOT_UNDERSTOOD)
    except NoAnswer as none:
        _fail(str(none), EXIT_FAILED)
    except OSError as error:
        _fail(pick(_CANT, file=error.filename or "", why=error.strerror or error), EXIT_FAILED)
    except (KeyboardInterrupt, Stopped):
        raise typer.Exit(EXIT_STOPPED) from None


def _fail(why: str, code: int) -> None:
    print(why, file=sys.stderr)
    raise typer.Exit(code) from None


class _Sitting:
    """One call of the command: begins or goes on with a run."""

    def __init__(
        self, loaded: Loaded, folder: Path, steps: list[Step], technician: Technician, talk: Talk, code: str, by: str
    ) -> None:
        self._loaded = loaded
        self._folder = folder
        self._steps = steps
        self._technician = technician
        self._talk = talk
        self._code = code
        self._by = by

    def play(self, new: bool, again: list[str], terms: Terms) -> Run:
        """Play what is not done; the run. Raises `Stopped`, `NoAnswer`, `OSError`, `BadUse`."""
        run_ = self._found(new)
        ids = {step.id for step in self._steps}
        if unknown := sorted(set(again) - ids):
            raise BadUse(f"--again {unknown[0]}: {', '.join(sorted(ids))}")
        run_ = replace(run_, results=tuple(r for r in run_.results if r.step not in again and r.outcome != "failed"))
        run_ = self._begun(run_)
        self._save(run_)
        run_ = self._played(run_, terms)
        return self._ended(run_)

    def _found(self, new: bool) -> Run:
        loaded = self._loaded
        found = None if new else load_run(self._folder)
        if found is None:
            return Run(loaded.file.panel.id, uuid.uuid4().hex, loaded.sha256)
        if (found.panel, found.file) != (loaded.file.panel.id, loaded.sha256):
            raise BadUse(pick(_OTHER, folder=self._folder))
        if found.results:
            done = len(found.results)
            self._talk.tell("resumed", _RESUMED, said={"done": done, "all": len(self._steps)}, done=done)
        return found

    def _act(self, act: str, run_: Run) -> Run:
        """Have it recorded; the run with the place of the record."""
        seq = int(self._technician.ask(AskStatus()).detail["seq"])
        figures = counts(run_) if act == "ended" else {}
        wish = Acceptance(act=act, run=run_.run, by=self._by, code=self._code, **figures)  # type: ignore[arg-type]
        panel = self._panel(seq)
        if run_.begun and act == "ended":
            panel.allowed(wish)
        else:
            self._technician.ask(wish)
        panel.follow()
        record = panel.first(seq, lambda kind, payload: kind == f"acceptance.{act}" and payload["run"] == run_.run)
        if record is None:
            raise NoAnswer(pick(texts.WHY["not-seen"], seconds=0))
        if act == "begun":
            return replace(run_, begun=(*run_.begun, place(record)))
        return replace(run_, ended=place(record))

    def _panel(self, seq: int) -> Panel:
        return Panel(self._technician, seq, self._code, self._let_in)

    def _let_in(self) -> None:
        self._talk.tell("grant", _GRANT)
        self._talk.answer()

    def _begun(self, run_: Run) -> Run:
        return self._act("begun", run_)

    def _ended(self, run_: Run) -> Run:
        run_ = self._act("ended", run_)
        self._save(run_)
        return run_

    def _save(self, run_: Run) -> None:
        save_run(self._folder, run_)

    def _played(self, run_: Run, terms: Terms) -> Run:
        since = run_.begun[0].seq
        panel = self._panel(since - 1)
        player = Player(panel, self._loaded.file, self._talk, terms, run_.samples)
        proof = proving.Proof(self._loaded, self._folder, since, list(run_.pictures))
        player.add(Act.CAMERA, proving.camera(proof, panel, self._talk, player, terms.patience_s))
        player.add(Act.RECEIPTS, proving.receipts(proof, panel, _keys(self._loaded), self._talk))
        if self._talk.person:
            self._talk.tell("keys", texts.KEYS)
        try:
            for n, step in enumerate(self._steps, 1):
                if run_.of(step.id) is None:
                    self._announce(n, step)
                    result = player.play(step)
                    run_ = replace(
                        run_,
                        results=(*run_.results, result),
                        samples=tuple(player.samples),
                        pictures=tuple(proof.pictures),
                        made=proof.made,
                        receipted=proof.receipted,
                        missing=proof.missing,
                    )
                    self._save(run_)
                    self._say(result.step, result.outcome, dict(result.figures), result.why)
        except (KeyboardInterrupt, Stopped, NoAnswer):
            said = {"done": len(run_.results), "all": len(self._steps), "folder": self._folder}
            self._talk.tell("stopped", _GOES_ON, said=said, done=len(run_.results))
            raise
        return run_

    def _announce(self, n: int, step: Step) -> None:
        said = {"n": n, "all": len(self._steps), "name": step_name(step)}
        self._talk.tell("step", _STEP, said=said, step=step.id, n=n, all=len(self._steps), clause=step.clause)

    def _say(self, step: str, outcome: str, figures: dict[str, object], why: str) -> None:
        shown = ", ".join(f"{name} {value}" for name, value in figures.items())
        words = Player.why(why, figures) if why else shown  # type: ignore[arg-type]
        said = {"outcome": pick(texts.OUTCOMES[outcome]), "figures": words}
        self._talk.tell("result", _RESULT, said=said, step=step, outcome=outcome, why=why, figures=figures)


def _keys(loaded: Loaded) -> KeyRing:
    """The panel's own keys, which sign its delivered ranges."""
    source = sources(None, loaded.path, None, snapshot=False)
    return KeyRing([source.public_key(), *source.former_keys()])


def _show(steps: list[Step], as_json: bool) -> None:
    if as_json:
        for step in steps:
            print(json.dumps({"event": "plan", **asdict(step)}, ensure_ascii=False))
        return
    table = Table(*(pick(head) for head in _HEADS))
    for step in steps:
        table.add_row(step.id, step_name(step), CLAUSES[step.clause].source)
    console().print(table)
