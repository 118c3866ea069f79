"""What the person models' scores on a folder come to: the table, its JSON, and which pictures went wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from firmware.camera.person import Used
from firmware.language import Text, pick
from provisioning.evidence import evaluate_texts as texts
from provisioning.evidence.scoring import MEAN, THRESHOLDS, Count, Eye, Scored, Unread, auc, count


@dataclass(frozen=True)
class Line:
    """A line of the table; `chosen`: it is what the panel would go by."""

    cells: tuple[Text, ...]
    chosen: bool = False


@dataclass(frozen=True)
class Sorts:
    """The pictures by what became of them at the threshold; what is furthest on the wrong side of it comes first."""

    missed: list[Scored]
    mistaken: list[Scored]
    found: list[Scored]
    calm: list[Scored]
    other: list[Scored]


@dataclass(frozen=True)
class Summary:
    """`items` were looked at by `used`, `unread` were not; `threshold` decides what is a hit."""

    folder: Path
    items: Sequence[Scored]
    unread: Sequence[Unread]
    used: Used
    threshold: int
    eye: Eye

    @property
    def names(self) -> list[str]:
        """What has scores: the models that ran, and where there are two their mean."""
        return [file for file, _ in self.used.models] + ([MEAN] if len(self.used.models) > 1 else [])

    def thresholds(self) -> list[int]:
        """The usual ones, and the one that decides."""
        return sorted({*THRESHOLDS, self.threshold})

    def counts(self, name: str) -> list[Count]:
        """At each threshold."""
        return [count(self.items, name, threshold) for threshold in self.thresholds()]

    def heading(self) -> list[Text]:
        """Over the columns of `rows`."""
        return [texts.MODEL, texts.AUC, texts.THRESHOLD, texts.FOUND, texts.MISTAKEN]

    def rows(self) -> Iterator[Line]:
        """One for each model and threshold."""
        for name in self.names:
            area = auc(self.items, name)
            for number, row in enumerate(self.counts(name)):
                first = (_title(name), _plain(f"{area:.3f}" if area is not None else "–")) if number == 0 else _BLANK
                yield Line(
                    (
                        *first,
                        _plain(row.threshold),
                        _plain(_part(row.found, row.people)),
                        _plain(_part(row.mistaken, row.empty)),
                    ),
                    chosen=name == self.names[-1] and row.threshold == self.threshold,
                )

    def groups(self) -> Iterator[tuple[str, Text, int, int]]:
        """Each folder: its name, what it holds, how many pictures, and how many were taken for a person."""
        for group, items in groupby(self.items, key=lambda item: item.group):
            many = list(items)
            says = {"person": texts.PERSON, "empty": texts.EMPTY, "other": texts.OTHER}[many[0].truth]
            yield group, says, len(many), sum(self.taken(item) for item in many)

    def taken(self, item: Scored) -> bool:
        """Whether the panel would call it a person."""
        return item.scores[MEAN] >= self.threshold

    def sorts(self) -> Sorts:
        """What became of each picture."""
        rising = sorted(self.items, key=lambda item: item.scores[MEAN])
        people = [item for item in rising if item.truth == "person"]
        empty = [item for item in reversed(rising) if item.truth == "empty"]
        return Sorts(
            missed=[item for item in people if not self.taken(item)],
            mistaken=[item for item in empty if self.taken(item)],
            found=[item for item in people if self.taken(item)],
            calm=[item for item in empty if not self.taken(item)],
            other=[item for item in reversed(rising) if item.truth == "other"],
        )

    def milliseconds(self) -> float:
        """Median of a picture, both models."""
        return median(item.took_ms for item in self.items)

    def caution(self) -> str:
        """How much such a set can say."""
        return pick(texts.WARNING, **self.caution_values())

    def caution_values(self) -> dict[str, object]:
        """For `texts.WARNING`: the smaller sort, and how many percent one picture of it is."""
        sizes = [sum(item.truth == truth for item in self.items) for truth in ("person", "empty")]
        least = min((size for size in sizes if size), default=0)
        return {"count": least, "step": round(100 / least) if least else 100}

    def name(self, path: Path) -> str:
        """A picture's name inside the folder."""
        return str(path.relative_to(self.folder))

    def as_json(self) -> dict[str, Any]:
        """Everything, scores in thousandths."""
        return {
            "folder": str(self.folder),
            "runtime": self.used.runtime,
            "models": [{"file": file, "sha256": sha256} for file, sha256 in self.used.models],
            "threshold": self.threshold,
            "mask": [list(outline) for outline in self.eye.mask],
            "region": [list(outline) for outline in self.eye.region],
            "ms_a_picture": round(self.milliseconds(), 2),
            "groups": [
                {"folder": group, "holds": says[0], "pictures": many, "taken_for_a_person": taken}
                for group, says, many, taken in self.groups()
            ],
            "table": [
                {"model": name, "auc": auc(self.items, name), "counts": [_as_json(row) for row in self.counts(name)]}
                for name in self.names
            ],
            "pictures": [
                {
                    "file": self.name(item.path),
                    "truth": item.truth,
                    "scores": item.scores,
                    "boxes": [box.model_dump() for box in item.boxes],
                }
                for item in self.items
            ],
            "unread": [{"file": self.name(item.path), "why": item.why} for item in self.unread],
        }


_BLANK: tuple[Text, Text] = (("", ""), ("", ""))


def _title(name: str) -> Text:
    return texts.MEAN if name == MEAN else (name, name)


def _plain(value: object) -> Text:
    return str(value), str(value)


def _part(some: int, whole: int) -> str:
    return f"{some}/{whole} {100 * some / whole:.0f} %" if whole else "–"


def _as_json(row: Count) -> dict[str, Any]:
    return {
        "threshold": row.threshold,
        "found": row.found,
        "people": row.people,
        "recall": row.recall,
        "mistaken": row.mistaken,
        "empty": row.empty,
        "false_positives": row.false_positives,
    }
