"""Taking secrets out of what leaves the panel, and counting what was taken out. Pure.

Three nets, one behind the other: members whose name says that they are secret, values that are known to be secret
because the panel's own files hold them, and shapes that only secrets have (a private key, a password in an address).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from firmware.language import Text

KINDS: Mapping[str, Text] = MappingProxyType(
    {
        "phone": ("telephone number", "电话号码"),
        "person": ("name of a person", "人员姓名"),
        "place": ("name of a place", "场所名称"),
        "password": ("password, PIN, code or token", "密码、PIN 码、口令或令牌"),
        "key": ("key", "密钥"),
        "account": ("account at the alarm center", "报警中心账号"),
        "tag": ("number of a card or tag", "卡号或巡更标签号"),
        "comment": ("comment in the panel file", "配置文件中的注释"),
        "silent": ("record of a silent alarm, but for its number", "无声报警记录（仅留序号）"),
        "unread": ("text of a panel file that has mistakes", "含错误的配置文件正文"),
    }
)
"""What is taken out, in words."""

MEMBERS: Mapping[str, str] = MappingProxyType(
    {
        "code": "password",
        "new_code": "password",
        "new_duress_code": "password",
        "duress_code": "password",
        "pin": "password",
        "password": "password",
        "secret": "password",
        "token": "password",
        "key": "key",
        "duress_key": "key",
        "key_hash": "key",
        "pepper": "key",
        "jws": "key",
        "d": "key",
        "numbers": "phone",
        "other_numbers": "phone",
        "account": "account",
        "tag": "tag",
        "card": "tag",
        "new_card": "tag",
    }
)
"""Members that are taken out wherever they stand. A `key` is a file's name in `tls` alone: see `scrubbed_file`."""

_PHONE = r"(?:\+[0-9]{3,15}|(?:(?:86)?1[3-9][0-9]{9}))"
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)),
    ("key", re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]*\.[\w-]*")),
    ("password", re.compile(r"(?<=://)[^\s/@]+(?=@)")),
    (
        "password",
        re.compile(
            r"(?i)(?<![a-z])(?:code|pin|password|passwd|secret|token|密码|口令)[\"']?\s*[=:：]\s*[\"']?"
            r"(?P<it>[^\s\"',;}]+)"
        ),
    ),
    ("phone", re.compile(rf"(?<![\w.+:-]){_PHONE}(?![\w.:-]*\w)")),
)
LEAST_KNOWN = 2
"""Shorter texts are not looked for by value: they would be found everywhere."""


def mark(kind: str) -> str:
    """What stands in the place of what was taken out."""
    return f"[taken out: {kind}]"


class Scrubber:
    """`known`: secret texts of each kind. `taken`: how many of which kind were taken out where."""

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        kinds = {text: kind for kind, texts in known.items() for text in texts if len(text) >= LEAST_KNOWN}
        self._kinds = kinds
        longest_first = sorted(kinds, key=lambda text: (-len(text), text))
        words = "|".join(_whole(text) for text in longest_first)
        self._known = re.compile(words) if words else None

    def take(self, place: str, kind: str, count: int = 1) -> str:
        """Count it, and give what stands in its place."""
        self.taken[place, kind] += count
        return mark(kind)

    def text(self, place: str, text: str) -> str:
        """The text without known secrets, and without what has the shape of one."""
        if self._known is not None:
            text = self._known.sub(lambda found: self.take(place, self._kinds[found[0]]), text)
        for kind, shape in _SHAPES:
            text = shape.sub(partial(self._cut, place, kind), text)
        return text

    def _cut(self, place: str, kind: str, found: "re.Match[str]") -> str:
        whole = found[0]
        if "it" not in found.re.groupindex:
            return self.take(place, kind)
        if found["it"].startswith("[taken"):
            return whole
        return whole[: found.start("it") - found.start()] + self.take(place, kind)

    def value(self, place: str, value: Any, members: Mapping[str, str] = MEMBERS) -> Any:
        """The same for whatever JSON can hold, names of members included."""
        if isinstance(value, str):
            return self.text(place, value)
        if isinstance(value, Mapping):
            return {
                self.text(place, str(name)): self.take(place, members[name])
                if name in members and value[name] not in (None, "", [], {})
                else self.value(place, value[name], members)
                for name in value
            }
        if isinstance(value, list | tuple):
            return [self.value(place, item, members) for item in value]
        return value


def _whole(text: str) -> str:
    """A pattern for the text where it is no part of a longer word; in Chinese, words have no ends."""
    before = r"(?<![A-Za-z0-9_])" if re.match(r"[A-Za-z0-9_]", text) else ""
    after = r"(?![A-Za-z0-9_])" if re.search(r"[A-Za-z0-9_]\Z", text) else ""
    return before + re.escape(text) + after
