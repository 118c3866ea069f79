"""What the delivery logic of a path needs to know: from the panel file, and of this boot."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Of one path, from the panel file. `window`: records of a lane that may wait for their receipt.

    `link`: the words of its `link` topic. `boot`: id of this boot, for latencies. `proof_ms`: how often it proves
    itself while it carries nothing.
    """

    panel: str
    path: str
    link: tuple[str, ...] = ("link",)
    boot: str = ""
    proof_ms: int = 3_600_000
    receipt_timeout_ms: int = 10_000
    path_fault_ms: int = 60_000
    window: int = 1024
    backoff_base_ms: int = 1_000
    backoff_cap_ms: int = 60_000
