"""What `fenghuo journal verify` says of each finding, in English and Chinese."""

from collections.abc import Mapping
from types import MappingProxyType

from firmware.language import Text

FINDINGS: Mapping[str, Text] = MappingProxyType(
    {
        "file": ("the file can't be read as a journal", "文件无法作为日志读取"),
        "page": ("SQLite finds the file damaged", "SQLite 检查发现文件损坏"),
        "session": ("the signed line that names the journal is wrong", "标识日志的签名行有误"),
        "panel": ("it is the journal of another panel", "这是另一台主机的日志"),
        "empty": ("there is no record at all", "没有任何记录"),
        "header-unreadable": ("the header can't be read", "记录头无法读取"),
        "hash": ("the header was altered: its hash does not fit", "记录头被改动:哈希不符"),
        "member": ("a member of the record is wrong", "记录字段有误"),
        "payload": ("the payload was altered: its hash does not fit", "记录内容被改动:哈希不符"),
        "payload-missing": (
            "the payload is gone, and no signed base says it expired",
            "记录内容缺失,且无签名说明其过期",
        ),
        "missing": ("records are missing before this one", "此记录之前有记录缺失"),
        "prev": ("the chain is broken: it does not follow the record before", "链断裂:与前一条记录不衔接"),
        "lane": ("records of this lane are missing", "该通道有记录缺失"),
        "order": ("records stand in a wrong order", "记录顺序错误"),
        "front": ("the front was removed without a signed base", "最前部分记录被删除且无签名基点"),
        "base": ("the signed base is wrong", "签名基点有误"),
        "checkpoint": ("a signed checkpoint does not fit the record before it", "签名检查点与前一条记录不符"),
        "cut": ("the end of the journal was cut off", "日志末尾被截断"),
        "state": ("the panel state was altered: its hash does not fit", "主机状态被改动:哈希不符"),
        "state-seq": (
            "the state was written after a record that is gone: the end was cut off",
            "状态晚于末条记录:末尾被截断",
        ),
        "state-row": ("the state's row was altered: its checksum does not fit", "状态行被改动:校验不符"),
        "tick": ("the signed tick beside the state is wrong", "状态旁的签名时刻有误"),
        "delivered": (
            "the delivery ranges of a lane were altered: they are not signed so",
            "通道的送达范围被改动:签名不符",
        ),
        "receipt": ("a kept receipt of the center does not fit the records", "保存的中心回执与记录不符"),
        "seen": ("the center holds a record that is not here, or another one", "中心持有的记录此处没有或不同"),
    }
)

SOUND: Text = (
    "{path}: sound. {records} records ({first} to {last}) of journal {journal}; {checkpoints} signed checkpoints.",
    "{path}:完好。日志 {journal},{records} 条记录({first} 至 {last}),{checkpoints} 个签名检查点。",
)
UNSOUND: Text = ("{path}: {count} findings in {records} records.", "{path}:{records} 条记录中有 {count} 个问题。")
AT: Text = ("record {seq}", "记录 {seq}")
FOUND: Text = ("found {found}, expected {expected}", "实际为 {found},应为 {expected}")
MORE: Text = ("and {count} more findings", "另有 {count} 个问题")
NO_KEY: Text = (
    "{place}: no public key of the panel found; give it with --key core.jwk",
    "{place}:找不到主机公钥;请用 --key core.jwk 指定",
)
NO_FILE: Text = ("{place}: no journal there", "{place}:此处没有日志")
BAD_KEY: Text = (
    "{place}: not a public key: found {found}, expected the JWK of an Ed25519 key",
    "{place}:不是公钥:实际为 {found},应为 Ed25519 公钥 JWK",
)
BAD_SEEN: Text = (
    '{place}: found {found}, expected a list of {{"journal", "seq", "hash"}}',
    '{place}:实际为 {found},应为 {{"journal", "seq", "hash"}} 的列表',
)
BAD_SINCE: Text = (
    "--since {found}: expected a time like 2026-03-14T23:09:26.123Z",
    "--since {found}:应为如 2026-03-14T23:09:26.123Z 的时间",
)
EXPIRED: Text = ("(payload expired)", "(内容已过期)")
SNAPSHOT: Text = ("the panel runs; checking a snapshot that core made", "主机正在运行;检查 core 生成的快照")
UNREADABLE: Text = ("{place}: can't be read: {why}", "{place}:无法读取:{why}")
