"""Chinese or English: which one, and picking a text.

Every text that a person sees is a pair, English first. `FENGHUO_LANG` decides, else the locale.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]
Text: TypeAlias = tuple[str, str]
"""English, Chinese; both with the same `{names}` for `str.format`."""


_SPOKEN: ContextVar[Language | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Whatever is picked inside is in this language: for pages that are made in both."""
    token = _SPOKEN.set(lang)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the person at the terminal, or of the page that is made (`speaking`)."""
    if spoken := _SPOKEN.get():
        return spoken
    for name in ("FENGHUO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def pick(text: Text, lang: Language | None = None, /, **values: object) -> str:
    """The text in the language (the terminal's by default), with its values filled in."""
    chosen = text[1 if (lang or language()) == "zh" else 0]
    return chosen.format(**values) if values else chosen
