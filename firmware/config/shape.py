"""Pydantic's errors about the panel file, said for an installer in English and Chinese.

Pydantic tells what broke and where; the words, the closest known key and what a missing key should hold come from here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from firmware.config.dc09 import ACCOUNT, LINE, MAC, RECEIVER
from firmware.config.hours import DATE, HOURS, TIME
from firmware.config.mistakes import Finding, Loc, show
from firmware.config.models import PATH_KINDS, PanelFile
from firmware.language import Text

_WHOLE: Text = ("a whole number", "整数")
_TEXT: Text = ("text in quotes", "带引号的文本")
_LIST: Text = ("a list: [ … ]", "列表：[ … ]")
_TABLE: Text = ("a table", "表")
_PATH_KINDS = " or ".join(f"{kind!r}" for kind in PATH_KINDS)
_BOOLEAN: Text = ("true or false", "true 或 false")
_WRONG_TYPE: Text = ("wrong type", "类型错误")

_TYPES: Mapping[str, Text] = {
    "int_type": _WHOLE,
    "string_type": _TEXT,
    "bool_type": _BOOLEAN,
    "list_type": _LIST,
    "model_type": _TABLE,
    "dict_type": _TABLE,
}
_LIMITS: Mapping[str, tuple[str, Text, Text]] = {
    "greater_than_equal": ("ge", ("too small", "数值过小"), ("at least {n}", "至少 {n}")),
    "less_than_equal": ("le", ("too large", "数值过大"), ("at most {n}", "至多 {n}")),
    "string_too_short": ("min_length", ("too short", "过短"), ("at least {n} characters", "至少 {n} 个字符")),
    "string_too_long": ("max_length", ("too long", "过长"), ("at most {n} characters", "至多 {n} 个字符")),
    "too_short": ("min_length", ("too few entries", "条目过少"), ("at least {n}", "至少 {n} 个")),
    "too_long": ("max_length", ("too many entries", "条目过多"), ("at most {n}", "至多 {n} 个")),
}
_PATTERNS: Mapping[str, Text] = {
    r"^[0-9A-F]{1,40}$": ("the digits of a tag, letters as A to F", "标签编号，字母为 A 至 F"),
    r"^[\x20-\x7e]*$": ("printable ASCII characters", "可打印的 ASCII 字符"),
    r"^[a-z0-9][a-z0-9-]{0,47}$": (
        "1 to 48 of a-z, 0-9 and -, not beginning with -",
        "1 至 48 个字符：a-z、0-9 和 -，不以 - 开头",
    ),
    r"^[a-z0-9][a-z0-9-]{2,47}$": (
        "3 to 48 of a-z, 0-9 and -, not beginning with -",
        "3 至 48 个字符：a-z、0-9 和 -，不以 - 开头",
    ),
    r"^[A-Za-z0-9_-]{43}$": (
        "the `x` of an Ed25519 JWK: 43 characters of base64url",
        "Ed25519 JWK 的 `x`:43 个 base64url 字符",
    ),
    r"^([a-z0-9][a-z0-9-]{0,47})?$": (
        'the id of a [[part]], or ""',
        '某个 [[part]] 的 id,或 ""',
    ),
    r"^(zone|area|alarm|event):[a-z0-9][a-z0-9.-]{0,47}$": (
        "zone:ID, area:ID, alarm:ID or event:KIND",
        "zone:ID、area:ID、alarm:ID 或 event:KIND",
    ),
    r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$": (
        'a name such as "Asia/Shanghai"',
        '如 "Asia/Shanghai" 的名称',
    ),
    TIME: ('a time as "08:30"', '如 "08:30" 的时刻'),
    HOURS: ('hours as "08:30-17:30", or "closed"', '如 "08:30-17:30" 的时段，或 "closed"'),
    DATE: ('a day as "2026-10-01"', '如 "2026-10-01" 的日期'),
    r"^[0-9]{20}$": ("20 digits", "20 位数字"),
    r"^/[^\x00-\x1f\x7f-\x9f]+$": (
        "a device's path, as /dev/serial/by-id/usb-…",
        "设备路径，如 /dev/serial/by-id/usb-…",
    ),
    r"^\+?[0-9]{3,15}$": (
        'a telephone number as "+8613800138000": 3 to 15 digits, no spaces',
        '如 "+8613800138000" 的电话号码：3 至 15 位数字，不含空格',
    ),
    ACCOUNT: ("3 to 16 hex digits, letters as A to F", "3 至 16 位十六进制数字，字母为 A 至 F"),
    RECEIVER: ("at most 6 hex digits, letters as A to F", "至多 6 位十六进制数字，字母为 A 至 F"),
    LINE: ("1 to 6 hex digits, letters as A to F", "1 至 6 位十六进制数字，字母为 A 至 F"),
    MAC: ("12 hex digits, letters as A to F, without colons", "12 位十六进制数字，字母为 A 至 F，不含冒号"),
    r"^[^\x00-\x1f\x7f-\x9f]+$": ("text without control characters", "不含控制字符的文本"),
    r"^[^\x00-\x1f\x7f-\x9f]*$": ("text without control characters", "不含控制字符的文本"),
    r"^[A-Za-z0-9._:-]+$": (
        "a host name or an IP address alone, without mqtt:// and port",
        "仅主机名或 IP 地址，不含 mqtt:// 和端口",
    ),
}


def shape(error: ValidationError) -> Iterator[Finding]:
    """One finding for each of pydantic's errors."""
    for item in error.errors(include_url=False):
        tagged, kind, ctx = item["loc"], item["type"], item.get("ctx", {})
        loc = _untagged(tagged)
        found = show(item["input"])
        if kind == "missing":
            yield Finding(loc, "", _kind_of(_field(tagged)), ("this key is missing", "缺少此键"))
        elif kind == "extra_forbidden":
            yield replace(_unknown(tagged, found), loc=loc)
        elif kind in _TYPES:
            yield Finding(loc, found, _TYPES[kind], _WRONG_TYPE)
        elif kind in _LIMITS:
            yield _beyond(loc, kind, ctx, item["input"])
        elif kind == "string_pattern_mismatch":
            expected = _PATTERNS.get(str(ctx.get("pattern")), _TEXT)
            yield Finding(loc, found, expected, ("not written as it must be", "格式不正确"))
        elif kind == "literal_error":
            options = _PATH_KINDS if loc[0] == "path" and loc[-1] == "kind" else str(ctx.get("expected", ""))
            yield Finding(
                loc, found, (options, options.replace(" or ", " 或 ")), ("not one of the choices", "不在可选值中")
            )
        else:
            yield Finding(loc, found, (item["msg"], item["msg"]), ("not valid", "无效"))


def _untagged(loc: Loc) -> Loc:
    """Without the kind of path that pydantic puts behind the index."""
    return (*loc[:2], *loc[3:]) if loc[0] == "path" and len(loc) > 2 else loc


def _beyond(loc: Loc, kind: str, ctx: Mapping[str, Any], value: object) -> Finding:
    limit, text, expected = _LIMITS[kind]
    found = str(len(value)) if isinstance(value, list) else show(value)
    number = ctx.get(limit, "?")
    return Finding(loc, found, (expected[0].format(n=number), expected[1].format(n=number)), text)


def _unknown(loc: Loc, found: str) -> Finding:
    model = _model(loc[:-1])
    known = sorted(model.model_fields) if model else []
    text: Text = ("unknown key", "未知的键")
    if close := get_close_matches(str(loc[-1])[:100], known, n=1):
        text = (f"unknown key; did you mean {close[0]}?", f"未知的键；是否应为 {close[0]}？")
    names = ", ".join(known)
    return Finding(loc, found, (f"one of {names}", f"以下之一：{names}"), text)


def _field(loc: Loc) -> FieldInfo | None:
    model = _model(loc[:-1])
    return model.model_fields.get(str(loc[-1])) if model else None


def _model(loc: Loc) -> type[BaseModel] | None:
    """The model of the table at `loc`."""
    model: type[BaseModel] | None = PanelFile
    if loc[:1] == ("path",) and len(loc) > 2:
        model, loc = PATH_KINDS[str(loc[2])], loc[3:]
    for part in loc:
        if model is not None and isinstance(part, str):
            field = model.model_fields.get(part)
            model = _inner(field.annotation) if field else None
    return model


def _inner(annotation: object) -> type[BaseModel] | None:
    """The model inside `list[X]`, `X | None` or X."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for a in get_args(annotation) if (found := _inner(a))), None)


def _kind_of(field: FieldInfo | None) -> Text:
    """What a missing key should hold."""
    annotation = field.annotation if field else None
    if annotation is int:
        return _WHOLE
    if get_origin(annotation) is Literal:
        options = ", ".join(show(option) for option in get_args(annotation))
        return f"one of {options}", f"以下之一：{options}"
    if get_origin(annotation) is list:
        return _LIST if _inner(annotation) is None else ("one or more tables", "一个或多个表")
    return _TABLE if _inner(annotation) else _TEXT
