"""JUnit XML of a run, as CI systems read it. A rig fault is an `error` of type `RigFault`, a fail of the panel a
`failure`; every case says its verdict and its rig as properties too.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as xml  # only written here

from hil.rigs.report.latencies import latencies
from hil.rigs.result import Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result]) -> str:
    """The document. `errors` counts the rig faults, `failures` what counts against the panel."""
    count = {verdict: sum(r.verdict == verdict for r in results) for verdict in ("fail", "rig-fault", "skipped")}
    suite = xml.Element(
        "testsuite",
        name=f"fenghuo {results[0].rig}" if results else "fenghuo",
        tests=str(len(results)),
        failures=str(count["fail"]),
        errors=str(count["rig-fault"]),
        skipped=str(count["skipped"]),
        time=f"{sum(result.took_s for result in results):.3f}",
    )
    for result in results:
        suite.append(_case(result))
    root = xml.Element("testsuites")
    root.append(suite)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(result: Result) -> xml.Element:
    module = Path(result.file).with_suffix("").as_posix().replace("/", ".")
    case = xml.Element("testcase", classname=module, name=result.scenario, time=f"{result.took_s:.3f}")
    properties = xml.SubElement(case, "properties")
    facts = {"verdict": result.verdict, "rig": result.rig, "began": result.began_utc}
    facts |= {f"latency-ms:{found.name}": str(found.ms) for found in latencies(result.marks)}
    for name, value in facts.items():
        xml.SubElement(properties, "property", name=name, value=_clean(value))
    match result.verdict:
        case "fail":
            xml.SubElement(case, "failure", type="Fail", message=_clean(result.why)).text = _clean(result.told)
        case "rig-fault":
            xml.SubElement(case, "error", type="RigFault", message=_clean(result.why)).text = _clean(result.told)
        case "skipped":
            xml.SubElement(case, "skipped", message=_clean(result.why))
        case _:
            pass
    if result.verdict in ("fail", "rig-fault"):
        said = "\n".join(f"--- {name}\n{text}" for name, text in result.logs.items())
        xml.SubElement(case, "system-out").text = _clean(said)
    return case


def _clean(text: str) -> str:
    """Without what XML 1.0 can't hold: a log may have anything in it."""
    return _NOT_XML.sub("�", text)
