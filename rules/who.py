"""Who acts on the panel, and under which events his arming and disarming are recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.effects import JsonValue
from rules.stimuli import Right

ARMED_KINDS: Mapping[str, str] = {
    "code": "area.armed",
    "remote": "area.armed-remotely",
    "key": "area.armed-by-key",
    "schedule": "area.armed-automatically",
}
DISARMED_KINDS: Mapping[str, str] = {
    "code": "area.disarmed",
    "remote": "area.disarmed-remotely",
    "key": "area.disarmed-by-key",
}


def armed_kind(how: str, part: str) -> str:
    """The event of an arming: that of a part set, where it is a code's."""
    return "area.part-armed" if part and how == "code" else ARMED_KINDS[how]


@dataclass(frozen=True)
class Who:
    """Who acts. `by`: `keypad:ID`, `remote:OPERATOR`, `key:ZONE` or `schedule:ID`; `how`: `code`, `remote`, `key` or
    `schedule`. `level`: his access level (digest §1.1). `rights`: None for all that his level allows."""

    by: str
    user: str
    how: str
    level: int = 2
    rights: tuple[Right, ...] | None = None

    def may(self, right: Right) -> bool:
        """Whether he has this right."""
        return self.rights is None or right in self.rights

    def told(self) -> dict[str, JsonValue]:
        """As a record tells it."""
        return {"by": self.by, "user": self.user} if self.user else {"by": self.by}
