"""The page of a trial-run report, in Chinese or English, from its account alone."""

from collections.abc import Iterator
from html import escape

from firmware.language import Language, Text, pick, speaking
from provisioning.accept import paper, plot
from provisioning.accept.clauses import CLAUSES
from provisioning.accept.trial_account import CheckRow, Trial
from provisioning.accept.trial_figures import CLASSES, PATH_LIMIT
from rules.vocabulary import KINDS, TROUBLES

TITLE: Text = ("Trial-run report: {name}", "试运行报告：{name}")
_VERDICT: dict[str, Text] = {
    "passed": (
        "The trial run of {days:g} days meets its limits",
        "试运行 {days:g} 天，符合各项限值",
    ),
    "failed": (
        "The trial run of {days:g} days does NOT meet: {which}",
        "试运行 {days:g} 天，不符合：{which}",
    ),
}
_CHECKS: dict[str, Text] = {
    "days": ("length, days", "天数"),
    "chain": ("findings in the journal's chain", "日志链校验问题数"),
    "lost": ("times that records were lost", "记录丢失次数"),
    "early": ("captures deleted before 30 days", "未满 30 天即删除的抓拍"),
    "kept": ("pictures are kept, days", "图像保存天数"),
    "standing": ("troubles that stand at the end", "结束时仍存在的故障"),
}
_H: dict[str, Text] = {
    "facts": ("Site and period", "工程与期间"),
    "checks": ("Limits", "限值核对"),
    "availability": ("Availability", "可用性"),
    "alarms": ("Alarms", "报警"),
    "list": ("Alarms one by one", "报警明细"),
    "troubles": ("Troubles", "故障"),
    "paths": ("Paths to the center", "通往中心的路径"),
    "latency": ("Time to the center's receipt", "中心回执时间"),
    "other": ("Pictures and clock", "图像与时钟"),
    "signatures": ("Signatures", "签字"),
}
_F: dict[str, Text] = {
    "name": ("site", "工程名称"),
    "panel": ("panel", "主机编号"),
    "begin": ("from (UTC)", "自（UTC）"),
    "end": ("to (UTC)", "至（UTC）"),
    "by": ("made by", "编制人员"),
    "made": ("report made (UTC)", "报告生成时间（UTC）"),
    "version": ("software", "软件版本"),
    "tree": ("SHA-256 of the program", "程序 SHA-256"),
    "root": ("hash of the root file system", "根文件系统哈希"),
    "file": ("SHA-256 of the panel file", "配置文件 SHA-256"),
    "first": ("journal: first record, hash", "日志首条：记录号、哈希"),
    "last": ("journal: last record, hash", "日志末条：记录号、哈希"),
    "records": ("records", "记录数"),
    "available": ("panel watched, % of the time", "主机在线率 %"),
    "dark": ("nobody watched, s", "停机时间，s"),
    "unknown": ("starts after an unknown time", "停机时间未知的启动次数"),
    "starts": ("starts by cause", "启动次数（按原因）"),
    "alarms": ("alarms", "报警次数"),
    "confirmed": ("confirmed", "已复核"),
    "unconfirmed": ("not confirmed", "未复核"),
    "cancelled": ("cancelled by a user: false", "用户取消（误报）"),
    "test": ("in a test", "测试中"),
    "aborted": ("ended by a user before they were reported: false", "上报前由用户取消（误报）"),
    "true": ("marked true by a person", "人工判定属实"),
    "false": ("marked false by a person", "人工判定误报"),
    "open": ("marked by nobody", "未作人工判定"),
    "pictures": ("pictures taken", "抓拍图像"),
    "deleted": ("captures deleted", "已删除抓拍"),
    "unsure": ("records without a synchronised clock", "时钟未同步时的记录"),
    "clock": ("clock set: times, worst ms", "校时：次数、最大偏差 ms"),
}
_CLASSES: dict[str, tuple[Text, str]] = {
    "confirmed": (("confirmed", "已复核"), "#b2182b"),
    "unconfirmed": (("not confirmed", "未复核"), "#e08214"),
    "cancelled": (("cancelled by a user", "用户取消"), "#5aae61"),
    "test": (("in a test", "测试中"), "#999999"),
}
_SAYS: dict[str, Text] = {
    "true": ("true: {cause} ({by})", "属实：{cause}（{by}）"),
    "false": ("false: {cause} ({by})", "误报：{cause}（{by}）"),
}
_OK: Text = ("met", "符合")
_NOT_OK: Text = ("NOT met", "不符合")
_OPEN: Text = ("stands", "未恢复")
_OVER: Text = ("ended", "已恢复")
_EXACT: Text = ("alarms, each", "报警，逐条")
_BOUND: Text = ("{lane}: upper bounds of windows", "{lane}：时段上限")
_CHECK_HEADS: tuple[Text, ...] = (
    ("what", "项目"),
    ("found", "实际"),
    ("limit", "限值"),
    ("result", "结果"),
    ("clause", "条款"),
)
_KIND_HEADS: tuple[Text, ...] = (("kind", "类型"), ("count", "次数"))
_LIST_HEADS: tuple[Text, ...] = (
    ("time (UTC)", "时间（UTC）"),
    ("kind", "类型"),
    ("zone", "防区"),
    ("class", "分类"),
    ("marked", "人工判定"),
)
_TROUBLE_HEADS: tuple[Text, ...] = (
    ("trouble", "故障"),
    ("subject", "对象"),
    ("times", "次数"),
    ("in all, s", "累计 s"),
    ("longest, s", "最长 s"),
    ("at the end", "结束时"),
)
_PATH_HEADS: tuple[Text, ...] = (
    ("path", "路径"),
    ("outages", "中断次数"),
    ("down, s", "中断累计 s"),
    ("longest, s", "最长 s"),
    ("available, %", "可用率 %"),
)
_LATENCY_HEADS: tuple[Text, ...] = (
    ("path", "路径"),
    ("of", "范围"),
    ("n", "数量"),
    ("p50 ms", "p50 ms"),
    ("p95 ms", "p95 ms"),
    ("p99 ms", "p99 ms"),
    ("worst ms", "最大 ms"),
)
_HOW_FALSE: Text = (
    "How they are told apart: confirmed by a second detector, or by a person on a picture; cancelled: a user cancelled "
    "the alarm in time, which says that it was false; in a test: during a walk test or an acceptance run; "
    "what nothing confirmed is not confirmed, not false. Beside it stands what a person marked it, and why "
    "(fenghuo accept mark).",
    "分类方法：已复核，即第二探测器或图像中有人员；用户取消，即由用户及时取消，视为误报；测试中，即步测或验收期间；"
    "未经复核者仅为“未复核”，并非误报。另列人工判定及原因（fenghuo accept mark）。",
)
_NO_LATENCY: Text = (
    "No telemetry of deliveries is at hand: the panel sends it to the center and keeps the newest alone "
    "(--telemetry FILE takes what the center holds).",
    "无上报时延遥测：主机仅保留最新数据，其余已发送至中心（可用 --telemetry 文件 提供中心所存数据）。",
)
_PATH_NOTE: Text = (
    "For comparison: EN 50136's older class A4 asks for {limit:g} % in a month; not judged here.",
    "供参考：EN 50136 旧 A4 级要求每月 {limit:g} %；此处不作判定。",
)


def page(found: Trial, lang: Language) -> str:
    """The whole report as HTML."""
    with speaking(lang):
        title = pick(TITLE, name=found.name)
        return paper.document(title, lang, _parts(found, title))


def verdict(found: Trial) -> str:
    """The verdict in a sentence."""
    which = ", ".join(pick(_CHECKS[row.name]) for row in found.checks if not row.ok)
    return pick(_VERDICT[found.verdict], days=found.figures.days, which=which)


def _parts(found: Trial, title: str) -> Iterator[str]:
    figures = found.figures
    yield paper.heading(title, 1)
    yield f'<p class="verdict {found.verdict}" id="f-verdict">{escape(verdict(found))}</p>'
    yield paper.heading(pick(_H["facts"]))
    yield paper.facts((id_, _F[id_], value) for id_, value in fact_values(found).items())
    yield paper.heading(pick(_H["checks"]))
    rows = [(f"c-{row.name}", _styled(row)) for row in found.checks]
    yield paper.table([pick(head) for head in _CHECK_HEADS], rows, (36, 14, 14, 12, 24))
    yield paper.heading(pick(_H["alarms"]))
    series = [
        plot.Series(pick(name), [float(n) for n in figures.alarms_by_day[sort]], colour)
        for sort, (name, colour) in _CLASSES.items()
    ]
    yield f"<figure>{plot.bars(found.days, series, '')}</figure>"
    kinds = [(f"k-{kind}", [("", kind_name(kind)), ("", str(n))]) for kind, n in sorted(figures.kinds.items())]
    yield paper.table([pick(head) for head in _KIND_HEADS], kinds, (70, 30))
    yield paper.paragraph(pick(_HOW_FALSE), "small")
    yield from _list(found)
    yield from _troubles(found)
    yield from _paths(found)
    yield paper.heading(pick(_H["signatures"]))
    yield paper.signatures((found.who.user, found.who.installer, found.who.acceptor))


def fact_name(id_: str) -> str:
    """What a fact is called."""
    return pick(_F[id_])


def fact_values(found: Trial) -> dict[str, str]:
    """The facts by their ids, as they are printed."""
    figures = found.figures
    starts = ", ".join(f"{row.cause} {row.count}" for row in figures.restarts)
    values = {
        "name": found.name,
        "panel": found.panel,
        "begin": _time(found.begin),
        "end": _time(found.end),
        "by": found.by,
        "made": _time(found.made),
        "version": f"Fenghuo {found.software.version}",
        "tree": found.software.tree,
        "root": found.software.root,
        "file": found.file,
        "first": f"{found.first.seq}, {found.first.hash}",
        "last": f"{found.last.seq}, {found.last.hash}",
        "records": str(figures.records),
        "available": f"{100 * figures.available:.3f}",
        "dark": f"{figures.dark_s:g}",
        "unknown": str(figures.dark_unknown),
        "starts": starts or "0",
        "alarms": str(sum(figures.classes.values())),
        **{sort: str(figures.classes.get(sort, 0)) for sort in CLASSES},
        "aborted": str(figures.aborted),
        **{says: str(count) for says, count in figures.marked.items() if says in _F},
        "pictures": str(figures.pictures),
        "deleted": str(figures.pictures_deleted),
        "unsure": str(figures.unsure),
        "clock": f"{figures.clock_sets}, {figures.clock_worst_ms}",
    }
    return {id_: value for id_, value in values.items() if value}


def check_cells(row: CheckRow) -> list[str]:
    """A row of the limits, as it is printed."""
    clause = CLAUSES[row.clause].source if row.clause in CLAUSES else row.clause
    return [pick(_CHECKS[row.name]), row.found, row.limit, pick(_OK if row.ok else _NOT_OK), clause]


def rows(found: Trial) -> dict[str, list[str]]:
    """The cells of the rows that have ids, as they are printed."""
    told = {"f-verdict": [verdict(found)]}
    told |= {f"f-{id_}": [fact_name(id_), value] for id_, value in fact_values(found).items()}
    told |= {f"c-{row.name}": check_cells(row) for row in found.checks}
    told |= {f"k-{kind}": [kind_name(kind), str(n)] for kind, n in found.figures.kinds.items()}
    told |= {f"a-{n}": cells for n, cells in enumerate(_alarm_cells(found))}
    told |= {f"t-{cells[0]}-{cells[1]}": cells for cells in _trouble_cells(found)}
    told |= {f"p-{cells[0]}": cells for cells in _path_cells(found)}
    return told


def kind_name(kind: str) -> str:
    """A kind of record in words."""
    known = KINDS.get(kind)
    return pick((known.en, known.zh)) if known else kind


def class_name(sort: str) -> str:
    """A class of alarms in words."""
    return pick(_CLASSES[sort][0]) if sort in _CLASSES else sort


def _styled(row: CheckRow) -> list[tuple[str, str]]:
    style = "passed" if row.ok else "failed"
    return [(style if n == 3 else "", text) for n, text in enumerate(check_cells(row))]


def _list(found: Trial) -> Iterator[str]:
    if found.figures.alarms:
        yield paper.heading(pick(_H["list"]), 3)
        rows_ = [(f"a-{n}", [("", cell) for cell in cells]) for n, cells in enumerate(_alarm_cells(found))]
        yield paper.table([pick(head) for head in _LIST_HEADS], rows_, (20, 20, 15, 13, 32))


def _alarm_cells(found: Trial) -> Iterator[list[str]]:
    for a in found.figures.alarms:
        marked = mark_words(a.says, a.cause, a.by)
        yield [_time(a.time), kind_name(a.kind), a.zone or "–", class_name(a.sort), marked]


def mark_words(says: str, cause: str, by: str) -> str:
    """What a person said of an alarm, in words."""
    return pick(_SAYS[says], cause=cause or "–", by=by) if says in _SAYS else "–"


def _troubles(found: Trial) -> Iterator[str]:
    yield paper.heading(pick(_H["troubles"]))
    series = [plot.Series(pick(_H["troubles"]), [float(n) for n in found.figures.troubles_by_day])]
    yield f"<figure>{plot.bars(found.days, series, '')}</figure>"
    rows_ = [(f"t-{cells[0]}-{cells[1]}", [("", cell) for cell in cells]) for cells in _trouble_cells(found)]
    yield paper.table([pick(head) for head in _TROUBLE_HEADS], rows_, (30, 20, 10, 14, 14, 12))


def _trouble_cells(found: Trial) -> Iterator[list[str]]:
    for row in found.figures.troubles:
        known = TROUBLES.get(row.trouble)
        name = pick((known.en, known.zh)) if known else row.trouble
        state = pick(_OPEN if row.open else _OVER)
        yield [name, row.subject or "–", str(row.count), f"{row.total_s:g}", f"{row.longest_s:g}", state]


def _paths(found: Trial) -> Iterator[str]:
    figures = found.figures
    yield paper.heading(pick(_H["paths"]))
    if figures.paths:
        names = [row.path for row in figures.paths]
        yield f"<figure>{plot.spans(names, [row.spans for row in figures.paths], found.days)}</figure>"
        rows_ = [(f"p-{cells[0]}", [("", cell) for cell in cells]) for cells in _path_cells(found)]
        yield paper.table([pick(head) for head in _PATH_HEADS], rows_, (28, 16, 20, 18, 18))
        yield paper.paragraph(pick(_PATH_NOTE, limit=100 * PATH_LIMIT), "small")
    yield paper.heading(pick(_H["latency"]), 3)
    if not figures.latencies:
        yield paper.paragraph(pick(_NO_LATENCY))
        return
    lines = []
    for row in figures.latencies:
        scope = pick(_EXACT) if row.exact else pick(_BOUND, lane=row.lane)
        numbers = (row.count, row.p50_ms, row.p95_ms, row.p99_ms, row.worst_ms)
        lines.append(("", [("", row.path), ("", scope), *(("", str(number)) for number in numbers)]))
    yield paper.table([pick(head) for head in _LATENCY_HEADS], lines, (18, 30, 10, 10, 10, 10, 12))


def _path_cells(found: Trial) -> Iterator[list[str]]:
    for row in found.figures.paths:
        available = f"{100 * row.available:.3f}"
        yield [row.path, str(row.outages), f"{row.down_s:g}", f"{row.longest_s:g}", available]


def _time(text: str) -> str:
    return text[:19].replace("T", " ")
