"""Who acts on the panel, and under which events his arming and disarming are recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.effects import JsonValue

ARMED_KINDS: Mapping[str, str] = {
    "code": "area.armed",
    "remote": "area.armed-remotely",
    "key": "area.armed-by-key",
}
DISARMED_KINDS: Mapping[str, str] = {
    "code": "area.disarmed",
    "remote": "area.disarmed-remotely",
    "key": "area.disarmed-by-key",
}


@dataclass(frozen=True)
class Who:
    """Who acts. `by`: `keypad:ID`, `remote:OPERATOR` or `key:ZONE`; `how`: `code`, `remote` or `key`."""

    by: str
    user: str
    how: str

    def told(self) -> dict[str, JsonValue]:
        """As a record tells it."""
        return {"by": self.by, "user": self.user} if self.user else {"by": self.by}
