"""What `tomllib` says about broken TOML, with the line itself, in English and Chinese."""

import re

from firmware.config.mistakes import shorten, show
from firmware.language import Text

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# What tomllib's messages begin with; the first that fits counts.
_WORDS: tuple[tuple[str, str], ...] = (
    ("Invalid statement", "无效的语句"),
    ("Expected newline", "语句之后应换行"),
    ("Expected '=' after a key", "键之后应有等号"),
    ("Expected ']", "缺少右方括号"),
    ("Expected '", "缺少引号"),
    ('Expected "', "缺少引号"),
    ("Found invalid character", "非法字符"),
    ("Illegal character", "非法字符"),
    ("Cannot declare", "表重复声明"),
    ("Cannot overwrite", "键重复定义"),
    ("Cannot mutate", "不能再修改此表"),
    ("Cannot redefine", "不能重复定义此表"),
    ("Invalid initial character", "键名首字符无效"),
    ("Unclosed array", "列表未闭合"),
    ("Unclosed inline table", "行内表未闭合"),
    ("Duplicate inline", "行内表键重复"),
    ("Unescaped", "字符串中有未转义的反斜杠"),
    ("Invalid hex", "无效的十六进制"),
    ("Escaped character", "无效的转义字符"),
    ("Unterminated string", "字符串未结束"),
    ("Invalid date", "无效的日期时间"),
    ("Invalid value", "无效的值"),
)


def syntax(message: str, text: str) -> tuple[str, Text, Text, int]:
    """What was found, what is expected, what is wrong and the line, of a `TOMLDecodeError`'s message."""
    at = _AT.search(message)
    what = shorten(message[: at.start()] if at else message)
    lines = text.replace("\r\n", "\n").split("\n")
    line = int(at[1]) if at and at[1] else len(lines)
    column = int(at[2]) if at and at[2] else len(lines[-1]) + 1
    chinese = next((zh for en, zh in _WORDS if what.startswith(en)), what)
    source = lines[line - 1].strip() if line <= len(lines) else ""
    return (
        show(source) if source else "",
        ("TOML: key = value, [table] or [[table]]", "TOML：键 = 值、[表] 或 [[表]]"),
        (f"not TOML: {what} (column {column})", f"不是有效的 TOML：{chinese}（第 {column} 列）"),
        line,
    )
