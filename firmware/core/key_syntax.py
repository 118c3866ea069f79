"""What a line of keys at a keypad asks for (docs/keypads.md). Pure: no code is judged here.

A code alone arms or disarms. `*` begins a command of a fixed number of digits, the code comes behind it; so nothing is
asked for without a code.
"""

from collections.abc import Mapping, Sequence

from rules.site import Site
from rules.stimuli import CodeEntered, Wish

_SIMPLE: Mapping[str, Wish] = {
    "40": Wish.DISARM,
    "41": Wish.SILENCE,
    "42": Wish.RESET,
    "43": Wish.REARM,
    "44": Wish.POSTPONE,
    "49": Wish.STATUS,
    "90": Wish.GRANT,
    "91": Wish.LEAVE,
    "95": Wish.END_TEST,
    "96": Wish.SIREN_TEST,
    "97": Wish.BATTERY_TEST,
}
_WALKS: Mapping[str, tuple[bool, bool]] = {"92": (False, False), "93": (True, False), "94": (False, True)}
_ZONES: Mapping[str, Wish] = {"5": Wish.BYPASS, "6": Wish.UNBYPASS, "7": Wish.ISOLATE, "8": Wish.UNISOLATE}
LEAST_CODE = 4
"""A command without so many digits behind it is one without a code."""


def asked(line: str, source: str, areas: Sequence[str], site: Site) -> tuple[str, CodeEntered] | None:
    """The code in the line and what is asked for with it, at a reader of these areas; None for what is no command.

    A zone, an area or a part that does not exist is asked for all the same: the rules say so, once they know the code.
    """
    here = tuple(areas)
    if not line.startswith("*"):
        return line, CodeEntered(source, "", Wish.TOGGLE, here)
    head, rest = line[1:3], line[3:]
    found: CodeEntered | None = None
    if head[:1] in ("1", "2", "3") and len(head) == 2:
        part, instant, override = _part(head[1], site), head[0] == "2", head[0] == "3"
        found = CodeEntered(source, "", Wish.ARM, here, "", part, instant, override)
    elif head in _SIMPLE:
        found = CodeEntered(source, "", _SIMPLE[head], here)
    elif head in _WALKS:
        quiet, hold_up = _WALKS[head]
        found = CodeEntered(source, "", Wish.WALK_TEST, here, quiet=quiet, hold_up=hold_up)
    elif head[:1] in _ZONES:
        number, rest = line[2:5], line[5:]
        found = CodeEntered(source, "", _ZONES[head[0]], (), _zone(number, site))
    elif head[:1] == "0":
        number, rest = line[2:4], line[4:]
        found = CodeEntered(source, "", Wish.TOGGLE, (_area(number, here, site),))
    return (rest, found) if found is not None and len(rest) >= LEAST_CODE else None


def _part(digit: str, site: Site) -> str:
    """0 is in full; 1 to 9 the part sets in the file's order."""
    if digit == "0":
        return ""
    parts = list(site.parts)
    return parts[int(digit) - 1] if int(digit) <= len(parts) else f"#{digit}"


def _zone(number: str, site: Site) -> str:
    return next((zone.id for zone in site.zones.values() if f"{zone.number:03}" == number), f"#{number}")


def _area(number: str, here: Sequence[str], site: Site) -> str:
    found = (id_ for id_, area in site.areas.items() if f"{area.number:02}" == number and id_ in here)
    return next(found, f"#{number}")


def within(entered: CodeEntered, mine: Sequence[str], site: Site) -> CodeEntered:
    """The wish for those of the reader's areas that its user may operate, and that its part set is for.

    Where none is left the wish stays as it is, and the rules refuse it.
    """
    part = site.parts.get(entered.part)
    fits = [a for a in entered.areas if a in mine and (part is None or not part.areas or a in part.areas)]
    if not fits:
        return entered
    return CodeEntered(**{**entered.__dict__, "areas": tuple(fits)})
