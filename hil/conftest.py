"""Scenarios under pytest, `pytest hil --rig desk|machine|bench`: the panel that one asks for, the verdict, the report.

A scenario takes the fixture `rig` and says by `@pytest.mark.site(camera=True, …)` what more its panel needs. After it,
the panel must have everything at the center, in order, under one sound chain: that is part of its verdict.
"""

import shutil
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hil.rigs.base import BaseRig
from hil.rigs.broken import BREAKS
from hil.rigs.choose import RIGS, choose
from hil.rigs.protocol import Rig, RigFault, Unable
from hil.rigs.recording import now_ms
from hil.rigs.result import Result, read_all
from hil.rigs.site import Wanted

RIG_FAULTS_ONLY = 10
"""Exit code where nothing counts against the panel, and the rig failed."""
SLOW_RIG_S = 900
"""A scenario on a rig that boots may take so long."""
_RESULTS = "scenarios"
_MADE = pytest.StashKey[BaseRig]()
_KEPT = pytest.StashKey[bool]()
"""Whether its verdict stands: a pass does not, where the rig can't be taken down after it."""
_BEGAN = pytest.StashKey[tuple[float, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rigs")
    group.addoption("--rig", choices=RIGS, default="desk", help="on which rig the scenarios run")
    group.addoption("--break", choices=BREAKS, default="", dest="rig_break", help="negative control: must not pass")
    group.addoption("--long", action="store_true", help="those too that take minutes")
    group.addoption("--rig-report", metavar="DIR", type=Path, help="leave JUnit XML and an HTML page there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "site(camera, bus, csi, rtsp, small_disk, rate): what a scenario's panel needs besides"
    )
    config.addinivalue_line("markers", "long: takes minutes; only with --long")
    config.addinivalue_line("markers", "slice: one of the few that `make slice` runs on the machine rig")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    if config.getoption("--rig") != "desk":
        for item in items:
            item.add_marker(pytest.mark.timeout(SLOW_RIG_S))


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A panel at rest and disarmed, with its user and its alarm center."""
    marker = request.node.get_closest_marker("site")
    made = choose(request.config.getoption("--rig"), tmp_path, Wanted(**(marker.kwargs if marker else {})))
    made.broken = request.config.getoption("rig_break")
    request.node.stash[_MADE] = made
    request.node.stash[_BEGAN] = (time.monotonic(), now_ms())
    try:
        made.begin()
        yield made
    finally:
        try:
            made.end()
        except Exception as error:
            raise RigFault(f"the rig could not be taken down: {error}") from error


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """The end of every scenario: the journal is sound, and the center holds everything in its place."""
    result = yield
    made = pyfuncitem.stash.get(_MADE, None)
    if made is not None:
        verdict = made.finish()
        assert verdict.good, f"the journal or the center is not as it must be: {verdict}"  # noqa: S101  # a verdict
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, Unable):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"rig {item.config.getoption('--rig')}: {error}")
    elif isinstance(error, RigFault):
        report.rig_fault = str(error)  # type: ignore[attr-defined]
    if _MADE in item.stash and (call.when == "call" or not report.passed) and not item.stash.get(_KEPT, False):
        item.stash[_KEPT] = report.failed
        _keep(item, report, error)
    return report


def _keep(item: pytest.Item, report: pytest.TestReport, error: BaseException | None) -> None:
    folder = item.config.getoption("--rig-report")
    if folder is None:
        return
    made, (began, began_ms) = item.stash[_MADE], item.stash[_BEGAN]
    function = getattr(item, "function", None)
    marks = [mark for mark in made.marks() if mark.ms >= began_ms]
    result = Result(
        scenario=item.name,
        file=str(item.path.relative_to(item.config.rootpath)),
        title=(getattr(function, "__doc__", None) or item.name).strip().splitlines()[0],
        rig=made.name,
        verdict="pass" if report.passed else "skipped" if report.skipped else _against(report),
        why="" if error is None else " ".join(f"{error}".split())[:500],
        told=report.longreprtext if report.failed else "",
        began_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        began_ms=began_ms,
        took_s=round(time.monotonic() - began, 3),
        marks=marks,
        logs=made.logs(),
        dropped=made.record.dropped,
    )
    result.write(folder / _RESULTS)


def _against(report: pytest.TestReport) -> Any:
    return "rig-fault" if hasattr(report, "rig_fault") else "fail"


def pytest_report_teststatus(report: pytest.TestReport) -> Any:
    """Rig faults are counted by themselves."""
    if getattr(report, "rig_fault", None):
        return "rig fault", "R", ("RIG FAULT", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.stats.get("rig fault", []):
        terminalreporter.write_line(f"RIG FAULT {report.nodeid}: {report.rig_fault}", yellow=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    folder = session.config.getoption("--rig-report", None)
    if folder is not None and not hasattr(session.config, "workerinput"):
        shutil.rmtree(folder / _RESULTS, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput"):
        return
    stats: dict[str, list[Any]] = getattr(config.pluginmanager.get_plugin("terminalreporter"), "stats", {})
    if stats.get("rig fault") and not stats.get("failed") and not stats.get("error"):
        session.exitstatus = RIG_FAULTS_ONLY
    folder = config.getoption("--rig-report", None)
    if folder is not None:
        from hil.rigs.report import write_report

        write_report(list(read_all(folder / _RESULTS)), folder)
