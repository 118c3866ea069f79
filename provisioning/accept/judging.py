"""How the response time is judged: all samples of a run, against GB 55029-2022 3.5.1(8); and how a step fails."""

from collections.abc import Mapping

from provisioning.accept.clauses import RESPONSE_MS, RESPONSE_SAMPLES
from provisioning.accept.results import Figure, Place, Sample


class Failed(Exception):
    """A step did not give what it must. `why` is a name of `texts.WHY`, with its values."""

    def __init__(self, why: str, record: Place | None = None, **figures: Figure) -> None:
        super().__init__(why)
        self.why = why
        self.record = record
        self.figures = figures


def spread(values: list[int]) -> dict[str, Figure]:
    """Least, median, 95 % and most, in ms; by nearest rank, so that each is one that was measured."""
    if not values:
        return {"n": 0}
    ordered = sorted(values)

    def rank(part: float) -> int:
        return ordered[max(0, -(-int(part * 1000) * len(ordered) // 1000) - 1)]

    return {"n": len(ordered), "min": ordered[0], "median": rank(0.5), "p95": rank(0.95), "max": ordered[-1]}


def judged(samples: list[Sample], receipted: bool, least: int = RESPONSE_SAMPLES) -> dict[str, Figure]:
    """The figures of the response time. Raises `Failed` where they are too few or one is too slow."""
    local = spread([sample.local_ms for sample in samples])
    sounded = spread([sample.local_ms for sample in samples if sample.at != "record"])
    center = spread([sample.center_ms for sample in samples if sample.center_ms >= 0])
    figures: dict[str, Figure] = {f"local_{name}": value for name, value in local.items()}
    figures |= {f"output_{name}": value for name, value in sounded.items()}
    if receipted:
        figures |= {f"center_{name}": value for name, value in center.items()}
    if len(samples) < max(least, 1):
        raise _failed("few", figures, found=len(samples), least=least)
    if receipted and int(center["n"]) < len(samples):
        raise _failed("missing", figures, found=len(samples) - int(center["n"]), made=len(samples))
    worst = max(int(local["max"]), int(center.get("max", 0)) if receipted else 0)
    if worst > RESPONSE_MS:
        raise _failed("late", figures, found=worst, most=RESPONSE_MS)
    return figures


def _failed(why: str, figures: Mapping[str, Figure], **more: Figure) -> Failed:
    failed = Failed(why)
    failed.figures = {**figures, **more}
    return failed
