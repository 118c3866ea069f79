"""Random stimuli for the branch: mostly meaningful, now and then nonsense, with the time that passes before each."""

from hypothesis import strategies as st

from rules import (
    CodeEntered,
    Condition,
    DeadlinePassed,
    Noted,
    PanelStarted,
    PanelStopping,
    RemoteCommand,
    Stimulus,
    TroubleChanged,
    User,
    UserRemoved,
    UserSet,
    Wish,
    ZoneChanged,
)
from rules.vocabulary import TROUBLES
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG, branch

AREAS = ("hall", "vault")
ZONES = tuple(branch().zones)
SPARE = "cc" * 16
ARM = CodeEntered("kp", MANAGER, Wish.ARM)
CONDITIONS = [*[Condition.ACTIVE, Condition.NORMAL] * 6, *Condition]

odd_text = st.one_of(st.text(max_size=8), st.just("\ud800"), st.just("x" * 500), st.just('"\\\n'))
_short, _long_pauses = [0, 0, 1, 999, 3_000, 5_000, 10_000, 20_000], [29_999, 30_000, 60_000, 90_000, 300_000, 900_000]
pauses = st.sampled_from([*_short * 3, *_long_pauses]) | st.integers(0, 100_000)
areas = st.one_of(st.just(()), st.sampled_from([("hall",), ("vault",), AREAS, ("cellar",), ("hall", "hall")]))
keys = st.sampled_from([MANAGER, MANAGER, MANAGER, CLERK, CLERK, MANAGER_DURESS, WRONG, WRONG, SPARE, ""])
sources = st.sampled_from(["kp", "kp", "kp-2"])
wishes = st.sampled_from([*Wish, Wish.ARM, Wish.ARM, Wish.TOGGLE])
zones = st.sampled_from(ZONES)
users = st.sampled_from(
    [
        User("guest", "客人", 2, ("vault",), SPARE),
        User("guest", "Guest", 2, AREAS, SPARE, WRONG),
        User("clerk", "Clerk", 2, ("hall",), CLERK),
        User("thief", "Copy", 2, AREAS, MANAGER),
        User("bad", "Bad", 7, ("cellar",), ""),
    ]
)

readings = st.builds(ZoneChanged, zones, st.sampled_from(CONDITIONS))
codes = st.builds(CodeEntered, sources, keys, wishes, areas, zones)
plain_arming = st.builds(CodeEntered, sources, st.just(MANAGER), st.just(Wish.ARM), st.just(()))
# Counters mostly grow; some come again.
commands = st.builds(RemoteCommand, st.integers(0, 2**53 + 1) | st.integers(0, 30), odd_text, wishes, areas, zones)
troubles = st.builds(
    TroubleChanged,
    st.sampled_from(["path", "camera", "clock", "mains", "unheard-of"]),
    st.booleans(),
    st.sampled_from(["", "x"]),
)
nonsense: st.SearchStrategy[Stimulus] = st.one_of(
    st.builds(ZoneChanged, odd_text, st.sampled_from(Condition)),
    st.builds(CodeEntered, odd_text, odd_text, wishes, st.tuples(odd_text), odd_text),
    st.builds(TroubleChanged, st.sampled_from([*TROUBLES]) | odd_text, st.booleans(), odd_text, odd_text),
    st.builds(
        UserSet, odd_text, st.builds(User, odd_text, odd_text, st.integers(), st.tuples(odd_text), odd_text, odd_text)
    ),
    st.builds(UserRemoved, odd_text, odd_text),
    st.builds(Noted, odd_text, st.just({})),
    st.builds(PanelStopping, odd_text),
    st.builds(PanelStarted, odd_text, st.integers(-1, 10), odd_text, odd_text),
)
people = st.one_of(
    st.builds(UserSet, st.just("t"), users), st.builds(UserRemoved, st.just("t"), st.sampled_from(["guest", "clerk"]))
)
starts = st.builds(
    PanelStarted, st.sampled_from(["power-up", "restart"]), st.just(3), st.just("1"), st.sampled_from(["c0", "c1"])
)

stimuli: st.SearchStrategy[Stimulus] = st.one_of(
    *[readings] * 8,
    *[codes, plain_arming] * 2,
    commands,
    troubles,
    people,
    starts,
    st.just(DeadlinePassed()),
    st.builds(Noted, st.just("evidence.pictures"), st.just({"incident": 1})),
)
# Lists are short by nature: most lives begin armed, and are long, so that something happens in them.
_long = st.lists(st.tuples(pauses, stimuli), min_size=20, max_size=40)
_armed = _long.map(lambda night: [(0, ARM), (60_000, DeadlinePassed()), *night])
nights = st.one_of(st.lists(st.tuples(pauses, stimuli), max_size=8), _armed, _armed, _long)
wild_nights = st.one_of(nights, st.lists(st.tuples(pauses, st.one_of(stimuli, nonsense)), max_size=40))
