"""What `fenghuo simulate` says, in English and Chinese."""

from firmware.language import Text

SUMMARY: Text = (
    "{site}: {years} years in {lives} lives, {seconds} s ({pace} s for a year and process)",
    "{site}:{years} 年,共 {lives} 段生命,用时 {seconds} 秒(每进程每年 {pace} 秒)",
)
COUNTS: Text = (
    "{steps} steps of the rules, {wired} zone changes, {records} records, {held} at the center, {crashes} crashes",
    "规则执行 {steps} 步,防区变化 {wired} 次,记录 {records} 条,中心收到 {held} 条,断电或中断 {crashes} 次",
)
COVERED: Text = (
    "kinds of records seen: {seen} of {all}{unseen}",
    "出现的记录类别:{seen} / {all}{unseen}",
)
UNSEEN: Text = ("; never: {names}", ";从未出现:{names}")
DIGEST: Text = (
    "life {seed} from {day}: {days} days, digest {digest}",
    "生命 {seed} 自 {day} 起:{days} 天,摘要 {digest}",
)
NONE: Text = ("no violation", "未发现违反")
FOUND: Text = ("{count} violations", "违反 {count} 处")
VIOLATION: Text = (
    "VIOLATION {rule} in life {seed} at {at}\n  {text}\n  the rule: {promise}",
    "违反 {rule},生命 {seed},时刻 {at}\n  {text}\n  规则:{promise}",
)
LAST: Text = ("  the last {count} stimuli before it was seen:", "  发现之前的最后 {count} 个激励:")
AGAIN: Text = ("  to see it step by step:  {command}", "  逐步重放:{command}")
PROGRESS: Text = (
    "{done} of {lives} lives, {years} years, {found} violations",
    "已完成 {done} / {lives} 段生命,{years} 年,违反 {found} 处",
)
STOPPED: Text = ("interrupted: what was lived so far", "已中断:以下为目前结果")
REPLAYING: Text = ("life {seed} of {site}, until its first violation", "重放 {site} 的生命 {seed},至首个违反处")
CLEAN: Text = (
    "this life has no violation in its {days} days; its last steps:",
    "该生命 {days} 天内未发现违反;最后几步:",
)
BAD: Text = (
    "fenghuo simulate: {what}: found {found}, expected {expected}",
    "fenghuo simulate:{what}:{found},应为 {expected}",
)
NOT_JSON: Text = ("--replay prints steps, --json one object: choose one", "--replay 与 --json 不能同时使用")
