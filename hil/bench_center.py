"""Records a second that the reference center takes, and groups of consumers: `python -m hil.bench_center`.

Each kind stores and receipts the same records of four panels from a real Mosquitto, one a message or in batches of 64.
Publisher, broker and center share the machine, so the figures are for comparison with each other.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firmware.protocol.envelope import event
from hil.broker import Mosquitto
from hil.center import Center
from hil.center.conform.journal import LANES, Journal
from hil.center.keys import Key
from hil.center.store import Store
from hil.center.wire import Broker

PANELS = 4
RECORDS = 2000
"""Of each panel."""
AHEAD = 2000
"""Records that are published and not stored yet: a panel has at most some 800 without a receipt."""
GIVE_UP_S = 20.0
_INFLIGHT = 60

Messages = list[tuple[str, str]]


def measure(folder: Path) -> dict[str, float]:
    """Records a second: `center`, `1 consumer`, `2 consumers`, each also with `, batches`."""
    figures = {}
    for name, consumers in (("center", 0), ("1 consumer", 1), ("2 consumers", 2)):
        for batches in (False, True):
            place = folder / f"{consumers}-{batches}"
            place.mkdir()
            figures[name + (", batches" if batches else "")] = _run(place, consumers, batches)
    return figures


def _run(folder: Path, consumers: int, batches: bool) -> float:
    (folder / "panels").mkdir()
    keys = {f"bench-{n}": Key.new() for n in range(PANELS)}
    for panel, key in keys.items():
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": key.x}
        (folder / "panels" / f"{panel}.jwk").write_text(json.dumps(jwk))
    queues = [_messages(panel, batches) for panel in keys]
    messages = [queue[n] for n in range(max(map(len, queues))) for queue in queues if n < len(queue)]
    with Mosquitto(folder, f"allow_anonymous true\nmax_inflight_messages {_INFLIGHT}\n") as broker:
        if consumers:
            started = [_start(folder, broker.port) for _ in range(consumers)]
            try:
                return _time(folder, broker.port, messages)
            finally:
                for process in started:
                    process.kill()
                    process.wait()
        with Center("127.0.0.1", broker.port, folder / "center", {p: k.x for p, k in keys.items()}.get):
            return _time(folder, broker.port, messages)


def _start(folder: Path, port: int) -> "subprocess.Popen[str]":
    code = "import sys; from hil.center import main; sys.exit(main(sys.argv[1:]))"
    words = ["consume", "--broker", f"mqtt://127.0.0.1:{port}", "--dir", str(folder / "center"),
             "--panels", str(folder / "panels")]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code, *words], text=True, stdout=subprocess.PIPE)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("a consumer did not start")
    return process


def _messages(panel: str, batches: bool) -> Messages:
    journal = Journal(panel)
    records = journal.fill(RECORDS)
    if not batches:
        return [(f"{panel}/event/{r.header.lane}", json.dumps(event(r, True))) for r in records]
    made: Messages = []
    for lane in LANES:
        mine = [event(r, True) for r in records if r.header.lane == lane]
        made += [(f"{panel}/batch/{lane}", json.dumps(mine[at : at + 64])) for at in range(0, len(mine), 64)]
    return made


def _time(folder: Path, port: int, messages: Messages) -> float:
    """Publish as fast as panels would, who wait for receipts; records a second until all are stored."""
    client = Broker("127.0.0.1", port).client("bench", max_unsent=0)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    store = Store(folder / "center" / "center.sqlite")
    began = time.monotonic()
    window = []
    for number, (topic, payload) in enumerate(messages):
        window.append(client.publish(f"fenghuo/v1/{topic}", payload, qos=1))
        if len(window) >= _INFLIGHT:
            window.pop(0).wait_for_publish(GIVE_UP_S)
        if number % 100 == 0:
            _until_stored(store, number * PANELS * RECORDS // len(messages) - AHEAD, began)
    _until_stored(store, PANELS * RECORDS, began)
    took = time.monotonic() - began
    store.close()
    client.disconnect()
    client.loop_stop()
    return PANELS * RECORDS / took


def _until_stored(store: Store, records: int, began: float) -> None:
    while store.rows("SELECT COUNT(*) FROM records")[0][0] < records:
        if time.monotonic() - began > GIVE_UP_S:
            raise RuntimeError("the records do not arrive")
        time.sleep(0.005)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as work:
        for what, figure in measure(Path(work)).items():
            print(f"{what}: {figure:.0f} records/s")
