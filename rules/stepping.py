"""The one call: a stimulus and the present moment go in, the new state and the effects come out."""

from rules import (
    alarms,
    chimes,
    confirm,
    daily,
    delays,
    detect,
    exits,
    filters,
    keyswitch,
    panel,
    pending,
    people,
    remote,
    sessions,
    sirens,
    testing,
    tours,
    troubles,
)
from rules.deadlines import next_deadline
from rules.draft import Draft
from rules.effects import Effect
from rules.site import Site
from rules.state import PanelState
from rules.stimuli import (
    ClockTold,
    CodeEntered,
    DeadlinePassed,
    KeysTold,
    Noted,
    PanelStarted,
    PanelStopping,
    RemoteCommand,
    Stimulus,
    TestDone,
    TestDue,
    TroubleChanged,
    UserRemoved,
    UserSet,
    WalkLeft,
    ZoneChanged,
)


def step(site: Site, state: PanelState, stimulus: Stimulus, now_ms: int) -> tuple[PanelState, tuple[Effect, ...]]:
    """What follows from the stimulus at `now_ms` (monotonic, never less than in the step before).

    Deadlines that are over by then take effect first, so a late timer changes nothing but the moment. The effects come
    in the order in which they count: switches, records, pictures, requests, notices, answers. Never raises for a
    stimulus of valid types: unknown names have no effect or are refused. `state` must fit `site` (`initial`, or
    `adapt`).
    """
    due = next_deadline(state)
    if isinstance(stimulus, ClockTold) and (due is None or due > now_ms) and daily.idle(site, state, stimulus):
        # Half a million minutes a year, in nearly all of which nothing is due.
        return daily.noted(state, stimulus), ()
    draft = Draft(site, state, now_ms)
    if isinstance(stimulus, PanelStarted):
        panel.started(draft, stimulus)
        testing.started(draft)
    if due is not None and due <= now_ms:
        _deadlines(draft)
    _dispatch(draft, stimulus)
    chimes.followed(draft)
    sirens.settled(draft)
    return draft.finish()


_DEADLINES = (
    pending.reports_due,
    troubles.reports_due,
    sessions.expired,
    testing.over,
    alarms.alarms_ended,
    exits.ending,
    delays.exit_ended,
    delays.entry_ended,
    confirm.unconfirmed,
    filters.rested,
    filters.uncrossed,
    people.lockouts_ended,
    tours.due,
    detect.settled,
    chimes.over,
)


def _deadlines(d: Draft) -> None:
    for over in _DEADLINES:
        over(d)


def _dispatch(d: Draft, stimulus: Stimulus) -> None:
    match stimulus:
        case ZoneChanged(zone, condition):
            detect.zone_changed(d, zone, condition)
            keyswitch.turned(d, zone, condition)
        case CodeEntered():
            people.code_entered(d, stimulus)
        case RemoteCommand():
            remote.remote_command(d, stimulus)
        case KeysTold():
            panel.keys_told(d, stimulus)
        case ClockTold():
            daily.told(d, stimulus)
        case TroubleChanged():
            troubles.trouble_changed(d, stimulus)
        case TestDone():
            testing.done(d, stimulus)
        case TestDue():
            testing.due(d, stimulus)
        case WalkLeft():
            testing.left(d, stimulus)
        case UserSet():
            people.user_set(d, stimulus)
        case UserRemoved():
            people.user_removed(d, stimulus)
        case Noted():
            panel.noted(d, stimulus)
        case PanelStopping():
            panel.stopping(d, stimulus)
        case DeadlinePassed() | PanelStarted():
            pass
