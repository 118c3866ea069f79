"""What people said of alarms, that they were true or false and why, as the journal tells it.

The journal knows what was confirmed and what was cancelled; that a spider set off a detector only a person knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from firmware.core.alarm_marks import KIND
from firmware.protocol.messages import MarkSays
from provisioning.accept.results import MAX_WORD

At = tuple[str, int]
"""An alarm's record: its journal and number."""


@dataclass(frozen=True)
class Mark:
    """`says`: `open` takes back what was said. `cause`: in words; `by`: who says so; `user`: whose code it was."""

    says: MarkSays
    cause: str
    by: str
    user: str

    @property
    def decided(self) -> bool:
        return self.says != "open"


def marked(kind: str, payload: Mapping[str, Any]) -> tuple[At, Mark] | None:
    """The mark that this record is, and of which alarm; None for another record, or one that no core of ours wrote."""
    says = payload.get("says")
    if kind != KIND or says not in get_args(MarkSays) or type(payload.get("seq")) is not int:
        return None
    cause, by, user = (str(payload.get(name, ""))[:MAX_WORD] for name in ("reason", "by", "user"))
    return (str(payload.get("journal")), payload["seq"]), Mark(cast("MarkSays", says), cause, by, user)
