"""The MQTT topics of a panel (DESIGN "What the center receives")."""

import re

ROOT = "fenghuo/v1"

_TOPIC = re.compile(r"fenghuo/v1/([a-z0-9][a-z0-9-]{2,47})/([a-z]+(?:/[a-z]+)*)")


def topic(panel: str, *words: str) -> str:
    """`fenghuo/v1/{panel}/word/word`."""
    return "/".join((ROOT, panel, *words))


def parse(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The panel and the words behind it, or None for a topic that is not ours (wildcards are not)."""
    found = _TOPIC.fullmatch(text)
    return (found[1], tuple(found[2].split("/"))) if found else None
