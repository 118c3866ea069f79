"""Whether somebody has tampered with a camera: black, dazzled, covered, blurred, turned or frozen pictures.

Each kind is a condition on single looks, which must stand before it counts and be gone for a while before it ends; a
look that can't tell (too dark for edges) moves nothing. What a picture should look like is a learned `Reference`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from firmware.camera.reference import Reference
from firmware.camera.sight import Place, Sight, place

KINDS = ("black", "bright", "covered", "blurred", "moved", "frozen")

STAND_S: Mapping[str, int] = MappingProxyType(
    {
        # A person who stands right before the lens moves on; headlights and a flash pass; shutters take 20 s.
        "black": 30,
        "bright": 30,
        "covered": 30,
        # A lens that is wiped or breathed on clears within a minute.
        "blurred": 120,
        # Wind and a passing lorry shake a mount for seconds; an installer who adjusts it takes about a minute.
        "moved": 60,
        # An encoder may repeat an empty night's picture up to its next key frame: 10 s at most in any camera we know.
        "frozen": 60,
    }
)
"""Seconds for which a kind must hold, gaps counted twice against it."""
CLEAR_S = 20
"""Seconds without a sign of it, and it has ended."""
LONGEST_STEP_S = 5.0
"""Between two looks; a longer gap (no frames came) counts as so much."""

# Measured on six photos and the drawn lobby: as they are, dimmed to 0.4 and 0.15, with gamma 2 and ½, under a lamp at
# the left and at the right, over-exposed, as JPEG 20, with a person and with one who fills 60 % (test_tampers.py).
# "Of the reference" below; the figures in brackets are the nearest of the good and of the bad cases.
SEEN = 0.1
"""Less of the reference's edge area than this is none [a dim lamp 0.18; covered 0.00] …"""
KNOWN = 0.15
"""… when they don't lie where the reference's do either [dimmed to 0.15: 0.35; covered 0.04]."""
TELLING = 0.3
"""So much edge area must be there before sharpness or place say anything [turned away 0.36]."""
DARK = 20.0
"""Mean brightness below which a picture without edges is black [lamp in one corner 24; unlit with noise 12]."""
BURNT, WHITE = 0.3, 0.8
"""Share of burnt-out pixels that dazzles, when the edges are gone too, and the one that does by itself [open sun 0.56
with its edges in place; a torch into the lens burns out what it does not hide]."""
DAZZLED = 0.35
"""Edges in place below this, while so much is burnt out [over-exposed 0.72]."""
SOFT = 0.45
"""Sharpness against the reference's below which it is blurred [dimmed 0.63; out of focus by 2 pixels of 640 0.33]."""
LIT = 0.5
"""Sharpness is judged only at so much of the reference's brightness: by night cameras smooth their noise away."""
ELSEWHERE = 0.8
"""The edges lie elsewhere as well as in their place: it was moved [lamp from the side 0.65; turned by 5° 0.86]."""
IN_PLACE = 0.7
"""Above this nothing was moved, whatever repeats in the picture."""


@dataclass(frozen=True)
class Signs:
    """What one look says of each kind: there, not there, or None where it can't tell."""

    black: bool | None
    bright: bool | None
    covered: bool | None
    blurred: bool | None
    moved: bool | None


def signs(sight: Sight, reference: Reference | None, dark: bool = False) -> Signs:
    """Judge a look. Without a reference only light is judged; `dark`: a place that may have no light at all."""
    if reference is None:
        flat = sight.structure == 0
        burnt = sight.burnt >= WHITE
        return Signs(
            black=flat and sight.mean < DARK and not dark, bright=burnt, covered=None, blurred=None, moved=None
        )
    where = place(reference.edges, sight.edges)
    share = sight.structure / reference.structure
    lost = share < SEEN and where.here < KNOWN
    burnt = sight.burnt >= WHITE or (sight.burnt >= BURNT and where.here < DAZZLED)
    unlit = sight.mean < DARK
    telling = share >= TELLING and not burnt
    lit = sight.mean >= LIT * reference.mean
    blurred = sight.sharpness < SOFT * reference.sharpness
    return Signs(
        black=lost and unlit and not dark,
        bright=burnt,
        # What can't be seen in the dark may be covered or not.
        covered=None if lost and unlit else lost and not burnt,
        blurred=blurred if telling and lit else None,
        moved=_moved(where) if telling and not (blurred and lit) else (False if where.here >= IN_PLACE else None),
    )


def _moved(where: Place) -> bool:
    return where.here < IN_PLACE and where.elsewhere >= ELSEWHERE * where.here


class Tampers:
    """What stands for one camera, from its looks. `watched`: the kinds that count. `dark`: as for `signs`."""

    def __init__(self, watched: Collection[str], dark: bool = False) -> None:
        self._watched = tuple(kind for kind in KINDS if kind in watched)
        self._dark = dark
        self._held = dict.fromkeys(KINDS, 0.0)
        self._absent = dict.fromkeys(KINDS, 0.0)
        self._standing: set[str] = set()
        self._last: Sight | None = None
        self._last_s = 0.0

    def look(self, sight: Sight, reference: Reference | None, now_s: float) -> tuple[str, ...]:
        """Take a look in; the kinds that stand after it, in the order of `KINDS`."""
        step = min(max(now_s - self._last_s, 0.0), LONGEST_STEP_S) if self._last else 0.0
        found: dict[str, bool | None] = dict(vars(signs(sight, reference, self._dark)))
        found["frozen"] = self._last is not None and sight.print == self._last.print
        self._last, self._last_s = sight, now_s
        for kind in self._watched:
            if (there := found[kind]) is not None:
                self._count(kind, there, step)
        return self.standing()

    def standing(self) -> tuple[str, ...]:
        """The kinds that stand."""
        return tuple(kind for kind in self._watched if kind in self._standing)

    def quiet(self) -> bool:
        """Whether nothing stands and nothing is on its way: a picture to learn from."""
        return not self._standing and not any(self._held.values())

    def _count(self, kind: str, there: bool, step: float) -> None:
        if there:
            self._held[kind] = min(self._held[kind] + step, float(STAND_S[kind]))
            self._absent[kind] = 0.0
            if self._held[kind] >= STAND_S[kind]:
                self._standing.add(kind)
            return
        self._held[kind] = max(self._held[kind] - 2 * step, 0.0)
        self._absent[kind] += step
        if self._absent[kind] >= CLEAR_S:
            self._standing.discard(kind)
