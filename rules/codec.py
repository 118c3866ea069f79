"""How a value of the state is written as canonical JSON (RFC 8785 for our domain), read back, and moved in time.

A *kind* says all three for one sort of value; records are tables of members, and write only what is not at its rest
value, so a piece is short and says what stands. Everything here is generic; which members there are stands in
`rules.members`.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from json.encoder import encode_basestring as _plain_quote
from typing import Any, TypeAlias

try:
    from json.encoder import c_encode_basestring as quote  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - another Python without the C encoder
    quote = _plain_quote

MAX_INTEGER = 2**53 - 1

Shift: TypeAlias = Callable[[Any, int], Any]


@dataclass(frozen=True)
class Kind:
    """`write` gives JSON text; `read(value, place)` raises ValueError; `shift(value, ms)` moves moments, None: none."""

    write: Callable[[Any], str]
    read: Callable[[Any, str], Any]
    shift: Shift | None = None


def wrong(place: str, found: object, expected: str) -> ValueError:
    """The error of a value that can't be one."""
    return ValueError(f"{place}: found {str(found)[:60]!r}, expected {expected}")


def typed(value: object, place: str, kind: type) -> Any:
    """The value, which must be of exactly this type."""
    if type(value) is not kind:
        raise wrong(place, value, kind.__name__)
    return value


def _number(value: object, place: str) -> int:
    number: int = typed(value, place, int)
    if abs(number) > MAX_INTEGER:
        raise wrong(place, number, "a whole number within ±(2^53 - 1)")
    return number


def _count(value: object, place: str) -> int:
    number = _number(value, place)
    if number < 0:
        raise wrong(place, number, "0 or more")
    return number


def _read_secret(value: object, place: str) -> Any:
    if type(value) is not str:
        raise wrong(place, type(value).__name__, "str")
    return value


TEXT = Kind(quote, lambda value, place: typed(value, place, str))
SECRET = Kind(quote, _read_secret)
FLAG = Kind(lambda value: "true" if value else "false", lambda value, place: typed(value, place, bool))
NUMBER = Kind(str, _number)
COUNT = Kind(str, _count)
MOMENT = Kind(str, _number, lambda value, ms: value + ms)


def optional(kind: Kind) -> Kind:
    """None or such a value."""
    shift = kind.shift
    return Kind(
        lambda value: "null" if value is None else kind.write(value),
        lambda value, place: None if value is None else kind.read(value, place),
        shift and (lambda value, ms: None if value is None else shift(value, ms)),
    )


def choice(*allowed: str) -> Kind:
    """One of these texts."""

    def read(value: object, place: str) -> str:
        text: str = typed(value, place, str)
        if text not in allowed:
            raise wrong(place, text, f"one of {', '.join(allowed)}")
        return text

    return Kind(quote, read)


def member_of(enum: type[StrEnum]) -> Kind:
    """A member of an enum, by its value."""
    inner = choice(*(member.value for member in enum))
    return Kind(lambda value: f'"{value.value}"', lambda value, place: enum(inner.read(value, place)))


def several(kind: Kind) -> Kind:
    """A tuple of such values, written as a list."""
    shift = kind.shift

    def read(value: object, place: str) -> tuple[Any, ...]:
        return tuple(kind.read(item, f"{place}[{i}]") for i, item in enumerate(typed(value, place, list)))

    return Kind(
        lambda value: f"[{','.join(map(kind.write, value))}]",
        read,
        shift and (lambda value, ms: tuple(shift(item, ms) for item in value)),
    )


def pairs(kind: Kind) -> Kind:
    """A mapping whose names may be any text: a list of pairs, in the order of the names."""
    shift = kind.shift

    def read(value: object, place: str) -> dict[str, Any]:
        found = {}
        for i, item in enumerate(typed(value, place, list)):
            if type(item) is not list or len(item) != 2:
                raise wrong(f"{place}[{i}]", item, "a pair")
            found[typed(item[0], f"{place}[{i}]", str)] = kind.read(item[1], f"{place}[{i}]")
        return found

    return Kind(
        lambda value: "[" + ",".join([f"[{quote(n)},{kind.write(v)}]" for n, v in sorted(value.items())]) + "]",
        read,
        shift and (lambda value, ms: {name: shift(item, ms) for name, item in value.items()}),
    )


class Table:
    """The members of one class: their kinds by name; what has a default is written only when it is another value."""

    def __init__(self, cls: type, members: Mapping[str, Kind]) -> None:
        self.cls = cls
        self._kinds = members
        known = {f.name: f for f in fields(cls)}
        if set(members) != set(known) - {"id"}:
            raise TypeError(f"{cls.__name__}: {set(members) ^ (set(known) - {'id'})} in one place only")
        self._named = "id" in known
        rest = {name: _default(known[name]) for name in members}
        self._rows = [(f'"{name}":', name, members[name].write, rest[name]) for name in sorted(members)]
        self._required = {name for name, value in rest.items() if value is _NONE}
        self._shifts = [(name, kind.shift) for name, kind in members.items() if kind.shift]

    def write(self, value: Any) -> str:
        """`{...}`, kept in the object itself."""
        own = value.__dict__
        found: str | None = own.get("_piece")
        if found is None:
            parts = [head + write(member) for head, name, write, rest in self._rows if (member := own[name]) != rest]
            own["_piece"] = found = "{" + ",".join(parts) + "}"
        return found

    def read(self, value: Any, place: str, id_: str = "") -> Any:
        """The object; ValueError when it can't be one."""
        members = typed(value, place, dict)
        unknown = sorted(set(members) - set(self._kinds))
        missing = sorted(self._required - set(members))
        if unknown or missing:
            expected = f"the members {' '.join(sorted(self._kinds))}"
            raise wrong(place, " ".join(sorted(members)), expected)
        read = {name: self._kinds[name].read(item, f"{place}.{name}") for name, item in members.items()}
        return self.cls(id_, **read) if self._named else self.cls(**read)

    def shift(self, value: Any, ms: int) -> Any:
        """The object with all its moments later by `ms`."""
        copy: Any = object.__new__(self.cls)
        copy.__dict__.update(value.__dict__)
        for cached in ("_piece", "_due"):
            copy.__dict__.pop(cached, None)
        for name, shift in self._shifts:
            copy.__dict__[name] = shift(value.__dict__[name], ms)
        return copy

    def kind(self) -> Kind:
        """As a kind, where it is a member of another one."""
        return Kind(self.write, self.read, self.shift if self._shifts else None)


_NONE = object()


def _default(field: Any) -> Any:
    """The value of a member that is left out; `_NONE` where it may not be."""
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else _NONE


def by_id(table: Table) -> Kind:
    """A mapping from ids of the panel file (ASCII) to objects; those that have an id know it from here."""

    def write(value: Any) -> str:
        own = table.write
        return "{" + ",".join([f"{quote(id_)}:{own(value[id_])}" for id_ in sorted(value)]) + "}"

    def read(value: object, place: str) -> dict[str, Any]:
        return {id_: table.read(item, f"{place}.{id_}", id_) for id_, item in typed(value, place, dict).items()}

    return Kind(write, read, lambda value, ms: {id_: table.shift(item, ms) for id_, item in value.items()})
