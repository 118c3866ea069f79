"""What lines tell that belong to no zone: tamper switches of boxes, and the supervised lines of sirens and strobes.

Both are troubles of the panel itself, armed or not. A line that can't be judged (its chip is gone, it does not come to
rest) is no tamper and no broken siren: that is a trouble of the driver, and what stood before goes on.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from rules.site import Condition

if TYPE_CHECKING:
    from firmware.config import PanelFile

Trouble: TypeAlias = Callable[[str, bool, str, str], None]
"""`trouble(name, present, subject, detail)`, as `Inside` has it."""


class Lines:
    """From the conditions of these lines to troubles; from any thread."""

    def __init__(self, file: "PanelFile", trouble: Trouble) -> None:
        self._trouble = trouble
        self._boxes = {box.id: box.name for box in file.box}
        self._watched = {output.id for output in file.output if output.watch}

    @property
    def boxes(self) -> set[str]:
        """The boxes by their ids."""
        return set(self._boxes)

    @property
    def watched(self) -> set[str]:
        """The outputs whose lines are supervised."""
        return set(self._watched)

    def told(self, name: str, condition: Condition) -> bool:
        """Take a condition in; False when the line is a zone's."""
        if name not in self._watched and name not in self._boxes:
            return False
        unknown = condition is Condition.FAULT
        if unknown:
            self._trouble("driver", True, name, "the line can't be judged")
            return True
        present = condition is not Condition.NORMAL
        if name in self._watched:
            self._trouble("siren", present, name, condition.value)
        else:
            self._trouble("box", present, name, f"{self._boxes[name]}: {condition.value}")
        # Last, so that what is found when the line is read again does not look like the line's own.
        self._trouble("driver", False, name, "")
        return True
