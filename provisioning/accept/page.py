"""The page of an acceptance report, in Chinese or English, from its account and its pictures alone."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape

from firmware.language import Language, Text, pick, speaking
from provisioning.accept import paper, plot, words
from provisioning.accept.account import Account, Did, as_blocks
from provisioning.accept.clauses import CLAUSES, RESPONSE_MS
from provisioning.accept.judging import spread
from provisioning.accept.results import Sample
from provisioning.drawing import drawing
from provisioning.site_explain import WIRE_HEADS, ZONE_HEADS

TITLE: Text = ("Acceptance report: {name}", "竣工验收报告：{name}")
_VERDICT: dict[str, Text] = {
    "passed": (
        "PASSED: {passed} of {all} steps passed, {waived} waived",
        "合格：共 {all} 步，合格 {passed} 步，豁免 {waived} 步",
    ),
    "failed": (
        "NOT PASSED: {failed} of {all} steps failed or were not done, {passed} passed, {waived} waived",
        "不合格：共 {all} 步，不合格或未做 {failed} 步，合格 {passed} 步，豁免 {waived} 步",
    ),
}
_H: dict[str, Text] = {
    "facts": ("Site and software", "工程与软件"),
    "results": ("Results", "测试结果"),
    "open": ("Failed and waived steps", "不合格与豁免项"),
    "response": ("Response time", "响应时间"),
    "samples": ("Samples", "样本"),
    "pictures": ("Pictures", "图像"),
    "zones": ("Zones", "防区"),
    "wiring": ("Wiring", "接线"),
    "clauses": ("Clauses", "条款"),
    "signatures": ("Signatures", "签字"),
}
_F: dict[str, Text] = {
    "panel": ("panel", "主机编号"),
    "name": ("site", "工程名称"),
    "profile": ("profile", "配置档案"),
    "by": ("tested by", "测试人员"),
    "made": ("report made (UTC)", "报告生成时间（UTC）"),
    "begun": ("begun (UTC)", "开始时间（UTC）"),
    "ended": ("ended (UTC)", "结束时间（UTC）"),
    "version": ("software", "软件版本"),
    "tree": ("SHA-256 of the program", "程序 SHA-256"),
    "root": ("hash of the root file system", "根文件系统哈希"),
    "file": ("SHA-256 of the panel file", "配置文件 SHA-256"),
    "head-begun": ("journal at the begin: record, hash", "开始时日志：记录号、哈希"),
    "head-ended": ("journal at the end: record, hash", "结束时日志：记录号、哈希"),
    "receipts": ("records of the run, of these receipted by the center", "测试期间记录数，其中有中心回执"),
    "run": ("run", "测试编号"),
}
_HEADS: tuple[Text, ...] = (
    ("step", "步骤"),
    ("result", "结果"),
    ("figures", "数据"),
    ("clause", "条款"),
    ("record", "记录"),
    ("time (UTC)", "时间（UTC）"),
)
_OPEN_HEADS: tuple[Text, ...] = (("step", "步骤"), ("result", "结果"), ("why", "原因"), ("by", "人员"))
_SPREAD_HEADS: tuple[Text, ...] = (
    ("measured", "测量项"),
    ("n", "样本数"),
    ("min", "最小"),
    ("median", "中位"),
    ("95 %", "95 %"),
    ("max", "最大"),
    ("limit", "限值"),
)
_MEASURED: dict[str, Text] = {
    "local": ("input to output or record, ms", "输入至输出或记录，ms"),
    "output": ("of these with an output switched, ms", "其中有输出动作，ms"),
    "center": ("input to the center's verified receipt, ms", "输入至中心回执（已验证），ms"),
}
_SAMPLE_HEADS: tuple[Text, ...] = (
    ("No.", "序号"),
    ("zone", "防区"),
    ("record", "记录"),
    ("local ms", "本地 ms"),
    ("at", "终点"),
    ("center ms", "中心 ms"),
    ("path", "路径"),
)
_BASIS: Text = (
    "Measured on the panel's own clock from the moment at which the input's level changed, its debounce included. "
    "Samples marked * have no such moment: the record's, less the debounce, stands for it.",
    "以主机时钟自输入电平变化时刻起计，含防抖时间。标 * 的样本无该时刻，以记录时刻减防抖时间代替。",
)
_CLAUSE_HEADS: tuple[Text, ...] = (("clause", "条款"), ("requirement", "要求"))
_CAPTION: Text = (
    "{camera}, {time}, {width} x {height}, {verdict}; SHA-256 {sha256}",
    "{camera}，{time}，{width} x {height}，{verdict}；SHA-256 {sha256}",
)
_CHECK: Text = (
    "This report is signed by the panel's key: manifest.jws over manifest.json, which names every file by its SHA-256. "
    "It is checked with: fenghuo accept verify REPORT",
    "本报告由主机密钥签名：manifest.jws 签名 manifest.json，后者以 SHA-256 列出全部文件。"
    "校验命令：fenghuo accept verify 报告",
)


def page(found: Account, pictures: Mapping[str, bytes], lang: Language) -> str:
    """The whole report as HTML. `pictures`: JPEG bytes by file name; those that are missing are left out."""
    with speaking(lang):
        title = pick(TITLE, name=found.name)
        return paper.document(title, lang, _parts(found, pictures, lang, title))


def _parts(found: Account, pictures: Mapping[str, bytes], lang: Language, title: str) -> Iterator[str]:
    yield paper.heading(title, 1)
    yield f'<p class="verdict {found.verdict}" id="f-verdict">{escape(verdict(found))}</p>'
    yield paper.heading(pick(_H["facts"]))
    yield paper.facts((id_, _F[id_], value) for id_, value in fact_values(found).items())
    if any(did.result is None or did.result.outcome != "passed" for did in found.steps):
        yield paper.heading(pick(_H["open"]))
        yield _open(found)
    yield paper.heading(pick(_H["results"]))
    rows = [(f"r-{did.step.id}", _styled(did)) for did in found.steps]
    yield paper.table([pick(head) for head in _HEADS], rows, (22, 9, 28, 17, 9, 15))
    yield from _response(found)
    if found.pictures:
        yield paper.heading(pick(_H["pictures"]))
        yield from _pictures(found, pictures)
    yield from _site(found, lang)
    yield paper.heading(pick(_H["clauses"]))
    yield _clauses(found)
    yield paper.heading(pick(_H["signatures"]))
    yield paper.signatures((found.who.user, found.who.installer, found.who.acceptor))
    yield paper.paragraph(pick(_CHECK), "small")


def verdict(found: Account) -> str:
    """The verdict in a sentence."""
    outcomes = [did.result.outcome if did.result else "failed" for did in found.steps]
    counts = {name: outcomes.count(name) for name in ("passed", "failed", "waived")}
    return pick(_VERDICT[found.verdict], all=len(outcomes), **counts)


def fact_values(found: Account) -> dict[str, str]:
    """The facts by their ids, as they are printed."""
    begun = found.begun[0]
    values = {
        "name": found.name,
        "panel": found.panel,
        "profile": found.profile,
        "by": found.by,
        "begun": _time(begun.time),
        "ended": _time(found.ended.time),
        "made": _time(found.made),
        "version": f"Fenghuo {found.software.version}",
        "tree": found.software.tree,
        "root": found.software.root,
        "file": found.file,
        "head-begun": f"{begun.seq}, {begun.hash}",
        "head-ended": f"{found.ended.seq}, {found.ended.hash}",
        "receipts": f"{found.records}, {found.receipted}",
        "run": found.run,
    }
    return {id_: value for id_, value in values.items() if value}


def fact_name(id_: str) -> str:
    """What a fact is called."""
    return pick(_F[id_])


def cells(did: Did) -> list[str]:
    """A row of the results, as it is printed."""
    result, clause = did.result, CLAUSES[did.step.clause].source
    name = words.step_name(did.step)
    if did.step.name and did.step.name not in name:
        name += f" ({did.step.name})"
    if result is None:
        return [name, words.outcome(None), "", clause, "", ""]
    figures = words.figures(result.figures) or words.reason(result)
    record = str(result.record.seq) if result.record else ""
    return [name, words.outcome(result), figures, clause, record, _time(result.time)]


def _styled(did: Did) -> list[tuple[str, str]]:
    outcome = did.result.outcome if did.result else "open"
    return [(outcome if n == 1 else "", text) for n, text in enumerate(cells(did))]


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _open(found: Account) -> str:
    rows = []
    for did in found.steps:
        result = did.result
        if result is not None and result.outcome == "passed":
            continue
        outcome = result.outcome if result else "open"
        said = (words.reason(result), result.by) if result else ("", "")
        cells_ = [("", words.step_name(did.step)), (outcome, words.outcome(result)), ("", said[0]), ("", said[1])]
        rows.append(("", cells_))
    return paper.table([pick(head) for head in _OPEN_HEADS], rows, (30, 12, 42, 16))


def _response(found: Account) -> Iterator[str]:
    if not found.samples:
        return
    yield paper.heading(pick(_H["response"]))
    rows = [(f"s-{name}", [("", cell) for cell in row]) for name, row in response_rows(found.samples)]
    yield paper.table([pick(head) for head in _SPREAD_HEADS], rows, (40, 10, 10, 10, 10, 10, 10))
    local = plot.Series(pick(_MEASURED["local"]), [float(s.local_ms) for s in found.samples])
    center = [float(s.center_ms) for s in found.samples if s.center_ms >= 0]
    series = [local, plot.Series(pick(_MEASURED["center"]), center, "#e08214")] if center else [local]
    yield f"<figure>{plot.dots(series, RESPONSE_MS, 'ms')}</figure>"
    yield paper.paragraph(pick(_BASIS), "small")
    yield paper.heading(pick(_H["samples"]), 3)
    lines = [("", [("", cell) for cell in _sample(n, s)]) for n, s in enumerate(found.samples, 1)]
    yield paper.table([pick(head) for head in _SAMPLE_HEADS], lines, (8, 22, 12, 12, 20, 12, 14))


def response_rows(samples: tuple[Sample, ...]) -> Iterator[tuple[str, list[str]]]:
    """The figures of the response time by what was measured, worked out from the samples."""
    values = {
        "local": [sample.local_ms for sample in samples],
        "output": [sample.local_ms for sample in samples if sample.at != "record"],
        "center": [sample.center_ms for sample in samples if sample.center_ms >= 0],
    }
    for name, found in values.items():
        if found:
            figures = spread(found)
            yield (
                name,
                [
                    pick(_MEASURED[name]),
                    *(str(figures[key]) for key in ("n", "min", "median", "p95", "max")),
                    str(RESPONSE_MS),
                ],
            )


def _sample(n: int, sample: Sample) -> list[str]:
    star = "" if sample.basis == "edge" else " *"
    center = str(sample.center_ms) if sample.center_ms >= 0 else "–"
    return [
        str(n),
        sample.zone,
        str(sample.seq),
        f"{sample.local_ms}{star}",
        words.at(sample.at),
        center,
        sample.path or "–",
    ]


def _pictures(found: Account, pictures: Mapping[str, bytes]) -> Iterator[str]:
    for picture in found.pictures:
        if data := pictures.get(picture.file):
            caption = pick(
                _CAPTION,
                camera=picture.camera,
                time=_time(picture.time),
                width=picture.width,
                height=picture.height,
                verdict=picture.verdict,
                sha256=picture.sha256,
            )
            source = f"data:image/jpeg;base64,{b64encode(data).decode()}"
            image = f'<img src="{source}" alt="{escape(picture.camera, quote=True)}">'
            yield f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _site(found: Account, lang: Language) -> Iterator[str]:
    yield paper.heading(pick(_H["zones"]))
    rows = [("", [("", cell) for cell in row.cells]) for row in found.zones[lang]]
    yield paper.table([pick(head) for head in ZONE_HEADS], rows, (8, 22, 36, 18, 16))
    yield paper.heading(pick(_H["wiring"]))
    if found.wiring[lang]:
        yield f'<div class="drawing">{drawing(as_blocks(found.wiring[lang]))}</div>'
    for block in found.wiring[lang]:
        yield paper.heading(block.title, 3)
        yield from (paper.paragraph(note, "small") for note in block.notes)
        terminals = [
            ("", [(row.use, row.cells[0]), ("", row.cells[1] or "–"), ("", row.cells[2] or "–")]) for row in block.rows
        ]
        yield paper.table([pick(head) for head in WIRE_HEADS], terminals, (20, 40, 40))


def _clauses(found: Account) -> str:
    used = dict.fromkeys(did.step.clause for did in found.steps)
    rows = [("", [("", CLAUSES[name].source), ("", pick(CLAUSES[name].says))]) for name in used]
    return paper.table([pick(head) for head in _CLAUSE_HEADS], rows, (38, 62))
