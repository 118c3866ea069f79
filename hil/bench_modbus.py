"""How long a round over a Modbus bus takes, against a bare pymodbus loop on the same line, and the child's memory."""

import statistics
import tempfile
import threading
import time
from pathlib import Path

from pymodbus.client import ModbusSerialClient

from drivers.bus.driver import BusDriver, BusWiring, Ears
from hil.memory_use import rss_mib
from hil.modbus import ModbusLine, Unit

MODULES, INPUTS = 8, 4
BAUD = 115_200
ROUNDS = 40
WAIT_S = 20.0


def measure() -> dict[str, float]:
    """`ours_ms`, `bare_ms`: a round over 32 inputs on 8 modules, medians; `ratio`: bare by ours. `rss_mib`, `cpu`
    (of one core): the child's, with a round each 100 ms."""
    with tempfile.TemporaryDirectory(prefix="fh-") as name:
        port = Path(name) / "adapter"
        units = {n: Unit(discretes=dict.fromkeys(range(8), True)) for n in range(1, MODULES + 1)}
        line = ModbusLine(port, units, BAUD)
        try:
            figures = _ours(port)
            figures["bare_ms"] = _bare(port)
        finally:
            line.close()
    return {**figures, "ratio": figures["bare_ms"] / figures["ours_ms"]}


def _wiring(port: Path) -> BusWiring:
    modules = [{"id": f"m{n}", "address": n, "profile": "wellpro-wp8026"} for n in range(1, MODULES + 1)]
    zones = [
        {"zone": f"z{n}-{i}", "module": f"m{n}", "input": i, "wiring": "nc", "debounce_ms": 20}
        for n in range(1, MODULES + 1)
        for i in range(1, INPUTS + 1)
    ]
    told = {"port": str(port), "baud": BAUD, "parity": "N", "stop_bits": 1, "timeout_ms": 100, "cycle_ms": 100}
    told |= {"modules": modules, "zones": zones, "outputs": []}
    return BusWiring(
        "rs485", "modbus", told, tuple(str(z["zone"]) for z in zones), (), frozenset(str(m["id"]) for m in modules)
    )


def _ours(port: Path) -> dict[str, float]:
    known = threading.Semaphore(0)
    ears = Ears(lambda *_: known.release(), lambda *_: None, lambda *_: None, lambda *_: None)
    driver = BusDriver(_wiring(port), lambda: time.monotonic_ns() // 1_000_000, ears)
    driver.start()
    try:
        for _ in range(MODULES * INPUTS):
            known.acquire(timeout=WAIT_S)
        time.sleep(1.5)  # the child tells its figures once a second
        pid = driver.health()["pid"]
        began, cpu = time.monotonic(), _cpu_s(pid)
        rounds = []
        for _ in range(5):
            time.sleep(1.0)
            rounds.append(driver.health()["bus"]["cycle_ms"])
        used = (_cpu_s(pid) - cpu) / (time.monotonic() - began)
        return {"ours_ms": statistics.median(rounds), "rss_mib": rss_mib(pid), "cpu": used}
    finally:
        driver.close()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _bare(port: Path) -> float:
    with ModbusSerialClient(str(port), baudrate=BAUD, timeout=0.1, retries=0) as client:
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for unit in range(1, MODULES + 1):
                client.read_discrete_inputs(0, count=INPUTS, device_id=unit)
            took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


if __name__ == "__main__":
    for what, value in measure().items():
        print(f"{what:10} {value:8.3f}")
