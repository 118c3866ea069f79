"""The points that a center is tried on: what it must do, in both languages, and the section of docs/alarm-center.md.

A point stands for itself: a center that signs with a wrong `typ` fails that one, and is still tried on all others.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from firmware.language import Text

Verdict: TypeAlias = Literal["pass", "fail", "not-seen"]


@dataclass(frozen=True)
class Point:
    """One thing that a center must do. `section`: heading of docs/alarm-center.md."""

    id: str
    section: str
    text: Text
    by_eye: bool = False
    """Nothing on the wire shows it: an operator is asked."""


@dataclass(frozen=True)
class Result:
    """What became of a point. `found`: what was seen; empty where it needs no words."""

    point: Point
    verdict: Verdict
    found: str = ""


_TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("receipt-in-time", "Receipts", "a record is receipted within receipt_timeout_s",
     "记录在 receipt_timeout_s 内得到回执"),
    ("receipt-qos", "Topics", "receipts are published with QoS 1", "回执以 QoS 1 发布"),
    ("receipt-not-retained", "Topics", "receipts are not retained", "回执不保留"),
    ("receipt-signature", "The signature, byte by byte",
     "a receipt is signed with a key of receipt_keys, its header holds exactly alg, kid, typ",
     "回执由 receipt_keys 中的密钥签名,头部仅含 alg、kid、typ"),
    ("receipt-typ", "The signature, byte by byte", "its typ is fenghuo.receipt.v1", "typ 为 fenghuo.receipt.v1"),
    ("receipt-form", "Receipts", "its payload is valid: panel, journal, lane, 1 to 64 ranges, nothing else",
     "内容有效:panel、journal、lane、1 至 64 个区间,无其他成员"),
    ("receipt-hash", "Receipts", "each range carries the hash of its last record as it was received",
     "每个区间带有其末条记录收到时的哈希"),
    ("receipt-rate", "MQTT settings", "no more receipts than the panel lets through: 2 for each publish",
     "回执不超过主机限额:每次发布最多 2 条"),
    ("batch", "An event", "all records of a batch are receipted", "批次中的全部记录得到回执"),
    ("batch-full", "Topics", "a batch of 64 records is taken", "接受 64 条记录的批次"),
    ("batch-spoiled", "An event", "a bad event in a batch does not spoil the others", "批次中的坏事件不影响其余事件"),
    ("duplicate", "Receipts", "a record that is held already is receipted again", "重复的记录再次得到回执"),
    ("out-of-order", "Arrival order is not record order", "records in any order are receipted",
     "任意次序到达的记录均得到回执"),
    ("gap", "Receipts", "what did not arrive is not receipted, and is once it comes",
     "未到达的记录不回执,到达后才回执"),
    ("linked-range", "Receipts", "a range spans only records that are linked by prev",
     "区间只覆盖由 prev 相连的记录"),
    ("rival", "Checking a record", "the true record beside a forged one is kept and receipted by its own hash",
     "与伪造记录同位的真实记录也被保存,并以其自身哈希回执"),
    ("altered-header", "Checking a record", "a record whose hash does not fit its header is not receipted",
     "哈希与头部不符的记录不回执"),
    ("altered-payload", "Checking a record", "a record whose payload does not fit payload_hash is not receipted",
     "内容与 payload_hash 不符的记录不回执"),
    ("wrong-panel", "An event", "a record of another panel on this panel's topic is not receipted",
     "本主机主题上其他主机的记录不回执"),
    ("wrong-envelope", "An event", "an event whose envelope does not repeat its header is not receipted",
     "信封与头部不一致的事件不回执"),
    ("wrong-lane", "An event", "a record on the topic of another lane is not receipted", "其他通道主题上的记录不回执"),
    ("twice-member", "An event", "JSON with a member twice is not receipted", "成员重复的 JSON 不回执"),
    ("expired-payload", "Checking a record", "a record whose payload expired (null) is receipted",
     "内容已过期(null)的记录得到回执"),
    ("unknown-kind", "Event vocabulary", "a kind that it does not know is receipted", "未知类型的记录得到回执"),
    ("unknown-member", "Payload", "a payload with members that it does not know is receipted",
     "含未知成员的内容得到回执"),
    ("silent-kind", "Silent kinds", "a silent kind is receipted like any other", "静默类型与其他类型一样得到回执"),
    ("thumbnail", "An event", "a picture's record with its thumbnail is receipted", "带缩略图的图像记录得到回执"),
    ("thumbnail-wrong", "An event", "a thumbnail that is not the record's is not receipted",
     "缩略图与记录不符的事件不回执"),
    ("garbage", "Topics", "after garbage, oversized messages and unknown topics it goes on",
     "收到乱码、超大消息和未知主题后继续工作"),
    ("telemetry", "Telemetry", "telemetry is taken and never receipted", "接收遥测且从不回执"),
    ("second-journal", "Several journals", "records of two journals are receipted, each under its own",
     "两个日志的记录分别在各自名下得到回执"),
    ("reconnect", "Receipts", "a record that is sent again after a reconnect is receipted",
     "重连后再次发送的记录得到回执"),
    ("away", "MQTT settings", "what came while it was stopped is receipted when it is back, without being sent again",
     "停机期间到达的记录在恢复后得到回执,无须重发"),
    ("command-signature", "Commands", "a command is signed with a key of command_keys",
     "命令由 command_keys 中的密钥签名"),
    ("command-typ", "Commands", "its typ is fenghuo.command.v1", "typ 为 fenghuo.command.v1"),
    ("command-form", "Commands", "its payload is valid and names this panel", "内容有效且指向本主机"),
    ("command-nonce", "Commands", "it carries the nonce of one of the last two heartbeats",
     "带有最近两次心跳之一的随机数"),
    ("command-counter", "Commands", "its counter is above that of every command before", "计数器大于此前所有命令"),
    ("command-once", "Commands", "no token is sent twice", "同一令牌不重复发送"),
    ("command-retained", "Commands", "it is never retained", "从不保留"),
    ("command-qos", "Topics", "it is published with QoS 1", "以 QoS 1 发布"),
    ("command-expiry", "MQTT settings", "it expires at the broker within 60 s", "在代理处 60 秒内过期"),
    ("heartbeat-forged", "Checking what the panel signed",
     "a heartbeat that another key signed gives no nonce to a command", "他人签名的心跳不提供命令随机数"),
    ("time-answer", "The center's time",
     "the time, where it is sent: signed with a receipt key, for a heartbeat of ours, not retained",
     "时间(如发送):由回执密钥签名、应答本主机心跳、不保留"),
)  # fmt: skip
_BY_EYE: tuple[tuple[str, str, str, str], ...] = (
    ("eye-missed", "Heartbeats", "it shows within 90 s that heartbeats stay out", "心跳停止后 90 秒内显示"),
    ("eye-offline", "Link", "it shows by the last will that the panel is offline", "通过遗嘱显示主机离线"),
    ("eye-late-will", "Link", "a late will of an older connection does not make the panel offline",
     "旧连接的迟到遗嘱不使主机显示离线"),
    ("eye-gap", "What is missing", "it shows that records are missing which a heartbeat told of",
     "显示心跳表明存在而缺失的记录"),
    ("eye-silent", "Silent kinds", "a silent hold-up shows on no screen that bystanders see",
     "静默紧急报警不出现在旁人可见的屏幕上"),
)  # fmt: skip

POINTS: dict[str, Point] = {
    id: Point(id, section, (en, zh), by_eye)
    for table, by_eye in ((_TABLE, False), (_BY_EYE, True))
    for id, section, en, zh in table
}
