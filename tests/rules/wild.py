"""Random stimuli of every kind for the site of `tests.rules.full`, with the time that passes before each."""

from hypothesis import strategies as st

from rules import (
    ClockTold,
    CodeEntered,
    Condition,
    DeadlinePassed,
    KeysTold,
    Noted,
    PanelStarted,
    PanelStopping,
    RemoteCommand,
    Right,
    Stimulus,
    TestDone,
    TestDue,
    TroubleChanged,
    User,
    UserRemoved,
    UserSet,
    WalkLeft,
    Wish,
    ZoneChanged,
)
from rules.vocabulary import TROUBLES
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG
from tests.rules.full import (
    ALL,
    DATED,
    DATED_DURESS,
    FRIDAY,
    INSTALLER,
    INSTALLER_DURESS,
    MAKER,
    ONCE,
    ONCE_DURESS,
    full,
)

OWN_AND_DURESS = {
    MANAGER: MANAGER_DURESS,
    INSTALLER: INSTALLER_DURESS,
    DATED: DATED_DURESS,
    ONCE: ONCE_DURESS,
}
SPARE = "99" * 16
Night = list[tuple[int, Stimulus]]

_PAUSES = [0, 0, 0, 1, 500, 1_500, 5_000, 9_999, 10_000, 29_999, 30_000, 45_000, 60_000, 120_000, 300_000, 1_800_000]
pauses = st.sampled_from(_PAUSES) | st.integers(0, 100_000)
_conditions = st.sampled_from([*[Condition.ACTIVE, Condition.NORMAL] * 5, *Condition])
_keys = st.sampled_from([MANAGER, MANAGER, MANAGER, INSTALLER, CLERK, DATED, ONCE, MAKER, WRONG, SPARE, ""])
_all_keys = _keys | st.sampled_from([*OWN_AND_DURESS.values()])
_areas = st.sampled_from([(), (), ("hall",), ("vault",), ("store",), ALL, ("hall", "store"), ("cellar",)])
_wishes = st.sampled_from([*Wish, *[Wish.ARM, Wish.TOGGLE, Wish.DISARM, Wish.GRANT] * 2])
_zones = st.sampled_from([*full().zones])
_parts = st.sampled_from(["", "", "night", "front", "attic"])
_seldom = st.sampled_from([False, False, True])

readings = st.builds(ZoneChanged, _zones, _conditions)
codes = st.builds(
    CodeEntered,
    st.sampled_from(["kp", "kp", "kp-2"]),
    _all_keys,
    _wishes,
    _areas,
    _zones,
    _parts,
    _seldom,
    _seldom,
    _seldom,
    _seldom,
)
commands = st.builds(
    RemoteCommand,
    st.integers(0, 60),
    st.just("Li"),
    _wishes,
    _areas,
    _zones,
    _parts,
    _seldom,
    _seldom,
    st.sampled_from(["k1", "k1", "k2"]),
)
keys = st.builds(
    KeysTold,
    st.sampled_from(["file", "center"]),
    st.integers(0, 9),
    st.just(("r1",)),
    st.sampled_from([("k1", "k2"), ("k2",)]),
    kept=st.sampled_from([None, "{}"]),
)
_minutes = st.sampled_from([0, 60, 480, 600, 840, 855, 870, 1_080, 1_095, 1_100, 1_110, 1_320, 1_330, 1_345, 1_439])
clocks = st.builds(ClockTold, st.integers(FRIDAY - 1, FRIDAY + 4), _minutes, st.sampled_from([True, True, True, False]))
_subjects = st.sampled_from(["", "eth", "lte", "bus-1", "bell", "gpio"])
troubles = st.builds(TroubleChanged, st.sampled_from([*TROUBLES, "path", "path", "none"]), st.booleans(), _subjects)
people = st.one_of(
    st.builds(
        UserSet,
        st.just("t"),
        st.builds(
            User,
            st.sampled_from(["clerk", "guest", "installer", "once"]),
            st.just("Somebody"),
            st.integers(1, 5),
            _areas,
            st.sampled_from([SPARE, CLERK, INSTALLER, ONCE, MANAGER]),
            st.just(""),
            st.none() | st.lists(st.sampled_from(Right), max_size=4).map(tuple),
            st.none() | st.integers(FRIDAY - 1, FRIDAY + 2),
            st.none() | st.integers(FRIDAY - 1, FRIDAY + 2),
            st.booleans(),
        ),
    ),
    st.builds(UserRemoved, st.just("t"), st.sampled_from(["clerk", "guest", "installer", "manager"])),
)
starts = st.builds(
    PanelStarted,
    st.sampled_from(["restart", "power-up"]),
    st.integers(-1, 9),
    st.sampled_from(["1.0", "1.1"]),
    st.sampled_from(["c0", "c1"]),
)
quiet_life: st.SearchStrategy[Stimulus] = st.one_of(
    *[readings] * 6, *[codes] * 3, clocks, troubles, commands, keys, st.just(DeadlinePassed())
)
"""Without a start of the panel."""
stimuli: st.SearchStrategy[Stimulus] = st.one_of(
    *[quiet_life] * 6,
    people,
    starts,
    st.builds(TestDone, st.sampled_from(["battery", "none"]), st.booleans(), st.just("x")),
    st.builds(TestDue, st.sampled_from(["battery", "none"])),
    st.builds(WalkLeft, st.sampled_from(["kp", "technician"])),
    st.builds(PanelStopping, st.just("update")),
    st.builds(Noted, st.sampled_from(["evidence.pictures", "clock.set", "alarm.fire"]), st.just({"incident": 1})),
)

_LEAVE: Night = [(0, CodeEntered("kp", MANAGER, Wish.ARM)), (60_000, DeadlinePassed())]
_SESSION: Night = [(0, CodeEntered("kp", MANAGER, Wish.GRANT)), (0, CodeEntered("kp", INSTALLER))]
_OPENINGS: list[Night] = [[], _LEAVE, _LEAVE, _LEAVE, _SESSION]


def nights(what: st.SearchStrategy[Stimulus]) -> st.SearchStrategy[Night]:
    """Lists are short by nature: most nights begin with an armed panel, and are long."""
    rest = st.lists(st.tuples(pauses, what), min_size=15, max_size=40)
    return st.builds(lambda opening, night: [*opening, *night], st.sampled_from(_OPENINGS), rest)
