"""What the oracle objects to: one promise that was not kept, where and when."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A broken promise. `at`: milliseconds of the world; `rule`: a name of `RULES`; `text`: what was seen."""

    at: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.at} ms: {self.rule}: {self.text}"
