"""Alarm transmission: EN 50136-1 with its parts for transceiver and receiver (digest §2)."""

from tests.conformance.clause import EN, Standard, clauses

_TRANSMISSION = clauses(
    "§2",
    "EN 50136",
    (
        "acknowledged",
        "an alarm counts as sent when the center has acknowledged it",
        "中心确认后方视为已上报",
        "M-h",
        EN,
        None,
    ),
    ("stored", "what can't be sent is stored, and a fault is told", "无法上报则存储并报告故障", "M-h", EN, None),
    (
        "path fault",
        "the fault of one path is logged, and told over the others",
        "单路径故障记录并经其余路径上报",
        "S",
        EN,
        None,
    ),
    ("path restore", "its restore too", "其恢复亦然", "S", EN, None),
    (
        "all paths",
        "all paths failed is told; it ends when any path is back",
        "全部路径故障;任一恢复即结束",
        "S",
        EN,
        None,
    ),
    ("failover", "another path takes over", "由备用路径接替", "S", EN, None),
    ("idle path", "a path is supervised also while another carries", "主路径工作时亦监督备用路径", "M-m", EN, None),
    ("identity", "a message says which device sent it (S1)", "报文含设备标识(S1)", "M-m", EN, None),
    ("substitution", "another device can't take its place (S2)", "防设备替换与重放(S2)", "M-m", EN, None),
    ("integrity", "messages can't be altered (I2)", "报文完整性(I2)", "M-m", EN, None),
    ("confidentiality", "nor read by others (I3)", "报文保密性(I3)", "M-m", EN, None),
)

STANDARDS = (
    Standard(
        "EN 50136",
        "EN 50136: alarm transmission",
        "EN 50136:报警传输",
        _TRANSMISSION,
    ),
)
