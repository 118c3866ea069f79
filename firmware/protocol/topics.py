"""The MQTT topics of a panel (DESIGN "What the center receives")."""

ROOT = "fenghuo/v1"


def topic(panel: str, *words: str) -> str:
    """`fenghuo/v1/{panel}/word/word`."""
    return "/".join((ROOT, panel, *words))


def parse(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The panel and the words behind it, or None for a topic that is not ours."""
    parts = text.split("/")
    if len(parts) < 4 or "/".join(parts[:2]) != ROOT:
        return None
    return parts[2], tuple(parts[3:])
