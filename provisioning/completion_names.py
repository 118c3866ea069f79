"""Names of a site for completion at a shell: areas, zones, cameras and paths of the panel file, users of the panel.

It is asked at each press of a key, so the file is only parsed, not checked; what can't be read completes nothing.
"""

import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from provisioning.user_wish import RIGHTS
from provisioning.users import DEFAULT_CONFIG

_TABLES: Mapping[str, str] = {
    "--area": "area",
    "--zone": "zone",
    "--camera": "camera",
    "--path": "path",
    "--part": "part",
    "--output": "output",
}
"""The table of the panel file whose ids an option takes."""
_ARGUMENTS: Mapping[tuple[str, ...], str] = {
    ("cameras", "relearn"): "camera",
    ("users", "change"): "user",
    ("users", "revoke"): "user",
    ("users", "set"): "user",
}
"""What the first argument of a command is."""
_MAX_BYTES = 1024 * 1024


def of_option(option: str, words: Sequence[str]) -> list[str]:
    """What may follow this option."""
    if option == "--right":
        return [*RIGHTS, "all"]
    return _ids(_TABLES[option], words) if option in _TABLES else []


def of_argument(words: Sequence[str]) -> list[str]:
    """What may stand as the first argument behind these words; nothing where it is no name of the site."""
    command, rest = tuple(words[:2]), words[2:]
    given = [word for before, word in pairwise(["", *rest]) if not word.startswith("-") and not before.startswith("-")]
    kind = None if given else _ARGUMENTS.get(command)
    if kind is None:
        return []
    return _users(words) if kind == "user" else _ids(kind, words)


def config_of(words: Sequence[str]) -> Path:
    """The panel file that the words name."""
    for before, word in pairwise(words):
        if before == "--config":
            return Path(word)
    return DEFAULT_CONFIG


def _ids(table: str, words: Sequence[str]) -> list[str]:
    try:
        with config_of(words).open("rb") as file:
            parsed: Mapping[str, Any] = tomllib.loads(file.read(_MAX_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return []
    rows = parsed.get(table)
    found = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [id_ for id_ in found if isinstance(id_, str) and id_.isascii() and id_.isprintable()]


def _users(words: Sequence[str]) -> list[str]:
    """Asked of the running panel; none where it does not run, or this person may not ask."""
    from firmware.config import BadPanelFile, load
    from provisioning.technician import NoAnswer, connected
    from provisioning.user_rows import known

    with suppress(BadPanelFile, NoAnswer, OSError), connected(load(config_of(words))) as technician:
        return [row["id"] for row in known(technician)]
    return []
