"""The scenes about commands and heartbeats, and what is judged at the end of all that was heard."""

import time
from itertools import pairwise

from firmware.protocol import signed, typ
from hil.center.conform.player import Player
from hil.center.conform.points import POINTS
from hil.center.conform.said import Heard, Said
from hil.center.conform.trial import Trial
from hil.center.keys import Key

WANTED = 3
"""Commands that are waited for: a counter is seen to grow, a nonce to change."""
MAX_LIFE_S = 60


def commands(trial: Trial) -> None:
    """Heartbeats, forged and replayed ones among them, while an operator sends commands."""
    player, before = trial.player, len(trial.player.heard)
    asked = (f"Send three harmless commands (status) to the panel {player.panel} now, half a minute apart.",
             f"请现在向主机 {player.panel} 发送三条无害的命令(status),间隔半分钟。")  # fmt: skip
    stranger = Key.new()
    player.beat(trial.journal)
    forged = {player.beat(trial.journal, stranger)}
    trial.operator("commands", asked)
    heard: list[tuple[Heard, list[str]]] = []
    end, next_beat = time.monotonic() + trial.pace.commands_s, time.monotonic()
    while time.monotonic() < end and len(heard) < WANTED:
        if time.monotonic() >= next_beat:
            player.beat(trial.journal)
            forged.add(player.beat(trial.journal, stranger))
            player.publish("heartbeat", player.beats[0], qos=0)  # replayed: its nonce is long over
            next_beat = time.monotonic() + trial.pace.beat_s
        start = before
        player.wait(lambda start=start: _new(player, start), min(0.5, trial.pace.beat_s))  # type: ignore[misc]
        news = player.heard[before:]
        before += len(news)
        for one in news:
            if one.word == "command":
                heard.append((one, player.nonces[-3:]))
                _answer(trial, one)
    _judge_commands(trial, heard, forged)


def _new(player: Player, before: int) -> bool:
    return any(one.word == "command" for one in player.heard[before:])


def _answer(trial: Trial, heard: Heard) -> None:
    said = trial.commands.read(heard, typ.COMMAND, signed.Command)
    if said.body is not None:
        trial.player.reply(said.body.counter, "")


def _judge_commands(trial: Trial, heard: list[tuple[Heard, list[str]]], forged: set[str]) -> None:
    points = [*(name for name in POINTS if name.startswith("command-")), "heartbeat-forged"]
    if not heard:
        for point in points:
            trial.unseen(point, "nothing")
        return
    known = [trial.commands.read(one, typ.COMMAND, signed.Command) for one, _ in heard]
    for said in known:
        _signed(trial, "command", said)
        _delivered(trial, said.heard)
    for said, (_, beats) in zip(known, heard, strict=True):
        if said.body is not None:
            _nonce(trial, said.body.nonce, beats, forged)
            if said.body.panel != trial.player.panel:
                trial.fail("command-form", "other-panel", panel=said.body.panel)
    _counters(trial, [said for said in known if said.body is not None])
    for point in points:
        if point not in trial.results and not (point == "command-counter" and len(heard) < 2):
            trial.good(point)


def _delivered(trial: Trial, heard: Heard) -> None:
    if heard.qos != 1:
        trial.fail("command-qos", "qos", qos=heard.qos)
    if heard.retain:
        trial.fail("command-retained", "retained")
    if heard.expiry_s is None:
        trial.fail("command-expiry", "no-expiry")
    elif heard.expiry_s > MAX_LIFE_S:
        trial.fail("command-expiry", "expiry", s=heard.expiry_s)


def _nonce(trial: Trial, nonce: str, beats: list[str], forged: set[str]) -> None:
    if nonce in forged:
        trial.fail("heartbeat-forged", "forged-nonce", nonce=nonce)
    elif nonce not in beats:  # the last two, and one that may just have been on its way
        trial.fail("command-nonce", "nonce", nonce=nonce)


def _counters(trial: Trial, known: list[Said[signed.Command]]) -> None:
    tokens = [said.heard.data for said in known]
    if len(set(tokens)) < len(tokens):
        trial.fail("command-once", "twice")
    different = list({said.heard.data: said for said in known}.values())
    for earlier, later in pairwise(said.body.counter for said in different if said.body is not None):
        if later <= earlier:
            trial.fail("command-counter", "counter", counter=later, before=earlier)


def _signed(trial: Trial, prefix: str, said: Said[signed.Receipt] | Said[signed.Command]) -> None:
    for name, found in said.faults.items():
        trial.judge(f"{prefix}-{name}", "fail", found)


def missed(trial: Trial) -> None:
    """No heartbeat for longer than three of them."""
    question = (
        "No heartbeat was sent for {s:g} s. Does your center show that?",
        "已有 {s:g} 秒没有发送心跳。您的中心是否显示?",
    )
    if trial.operator("pause", ("Shall heartbeats stay out for a while?", "是否暂停心跳?")):
        time.sleep(trial.pace.missed_s)
        trial.ask("eye-missed", (question[0].format(s=trial.pace.missed_s), question[1].format(s=trial.pace.missed_s)))
    else:
        trial.unseen("eye-missed", "nobody")


def retained(trial: Trial) -> None:
    """A new connection: what a broker kept of the center comes now."""
    before = len(trial.player.heard)
    trial.player.leave()
    trial.player.connect()
    trial.fence()
    for heard in trial.player.heard[before:]:
        if heard.retain and heard.word in ("receipt", "command", "time"):
            point = {"receipt": "receipt-not-retained", "command": "command-retained", "time": "time-answer"}
            trial.fail(point[heard.word], "retained")


def close(trial: Trial, seconds: float) -> None:
    """Judge all receipts and times that were heard."""
    for said in trial.said():
        _signed(trial, "receipt", said)
        if said.heard.qos != 1:
            trial.fail("receipt-qos", "qos", qos=said.heard.qos)
        if said.heard.retain:
            trial.fail("receipt-not-retained", "retained")
        if said.body is not None:
            _hashes(trial, said.body)
    names = ("receipt-signature", "receipt-typ", "receipt-form", "receipt-hash", "receipt-qos", "receipt-not-retained")
    for name in names:
        if not trial.said():
            trial.unseen(name, "nothing")
        elif name not in trial.results:
            trial.good(name)
    most = 2 * trial.player.published + 20 + 10 * int(seconds)
    if len(trial.said()) > most:
        trial.fail("receipt-rate", "rate", receipts=len(trial.said()), published=trial.player.published)
    else:
        trial.good("receipt-rate")
    _times(trial)


def _hashes(trial: Trial, receipt: signed.Receipt) -> None:
    if receipt.panel != trial.player.panel:
        trial.fail("receipt-form", "other-panel", panel=receipt.panel)
    for r in receipt.ranges:
        sent = trial.sent.get((receipt.journal, receipt.lane, r.last))
        if sent is None:
            trial.fail("gap", "receipted", what=f"{receipt.lane} {r.first}-{r.last}")
        elif r.hash not in sent:
            trial.fail("receipt-hash", "hash", lane=receipt.lane, first=r.first, last=r.last, hash=r.hash[:12])


def _times(trial: Trial) -> None:
    heard = [one for one in trial.player.heard if one.word == "time"]
    if not heard:
        trial.unseen("time-answer", "nothing")
    for one in heard:
        said = trial.receipts.read(one, typ.TIME, signed.CenterTime)
        for found in said.faults.values():
            trial.judge("time-answer", "fail", found)
        if one.retain:
            trial.fail("time-answer", "retained")
        elif said.body is not None and said.body.nonce not in trial.player.nonces:
            trial.fail("time-answer", "nonce", nonce=said.body.nonce)
        elif not said.faults:
            trial.good("time-answer")
