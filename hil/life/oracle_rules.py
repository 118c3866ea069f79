"""What the oracle holds the panel to: a name for each promise, and where it is written.

`docs/rules.md` is named by its heading, the digest of the standards by its paragraph.
"""

from collections.abc import Mapping
from types import MappingProxyType

RULES: Mapping[str, str] = MappingProxyType(
    {
        # what must sound and be recorded
        "missed-alarm": "What alarms is recorded at once (What a zone means; GB 50394 5.2.2: no missed alarms)",
        "missed-line": "Open and short alarm on every zone, armed or not (GB 55029 3.5.1(3))",
        "missed-hold-up": "Hold-up and duress are recorded whatever else goes on (Silent; GB 50394: non-disarmable)",
        "missed-fault": "A fault or a mask is recorded when it begins (What a zone means, Fault, Masked)",
        "missed-restore": "The end of an alarm is recorded when the zone is normal again (What a zone means, Restores)",
        "missed-entry": "An entry-exit zone starts the entry delay of its armed areas (Entry)",
        "entry-too-long": "The entry delay ends when it should, with an alarm (Entry; EN 50131-1: at most 45 s)",
        "entry-too-short": "Who enters has all of his entry delay (Entry)",
        "exit-too-long": "The exit delay ends when it should (Arming, Exit delay)",
        "exit-too-short": "Who leaves has all of his exit delay (Arming, Exit delay)",
        "alarm-mode": "Intruder, tamper and 24-hour alarms put a set area in alarm, life alarms do not (Entry)",
        "alarm-endless": "At the limit of its sirens an area is armed again (Sirens)",
        "silent-siren": "An alarm that sounds has the sirens of its areas on at once (Sirens; GB 55029 3.5.1(8): 2 s)",
        "siren-cut-short": "A siren goes on until its limit, a disarming or a silence (Sirens)",
        "dark-strobe": "The strobe is on from the alarm until the area is disarmed or reset (Sirens)",
        # what must not
        "false-alarm": "Every alarm has its cause in the world (CP-01 row 25; What a zone means)",
        "repeated-alarm": "A condition that stands is told once, over restarts too (What a zone means)",
        "resting-alarm": "What is bypassed, isolated, at rest, on trial or not armed does not alarm (Zone types)",
        "siren-without-alarm": "No siren sounds without an alarm or a test (Sirens)",
        "siren-too-long": "Sirens respect the limits of the alarm and their own (Sirens; EN 50131-1: 90 to 900 s)",
        "siren-too-early": "A siren with a delay waits for it while a path works (Sirens; EN 50131-1: at most 10 min)",
        "external-while-disarmed": "External sirens sound only for an area that is set (EN 50131-1 Table 7 note 5)",
        "strobe-without-alarm": "No strobe without an alarm; disarming ends it (Sirens)",
        "armed-lamp": "The armed lamp is on while all its areas are set (Sirens)",
        "buzzer": "The buzzer sounds in entry and exit delays (Sirens)",
        "chime": "Chime outputs sound for a moment, for a chime zone or a walk test (What a zone means, Chime)",
        "relay": "A relay follows what its file says (Sirens, Relays)",
        # silent
        "silent-shows": "A silent alarm moves no pin, shows nothing, and is in no public view (Silent; GB 50394)",
        # authority
        "disarmed-without-authority": "Only a code, a key or a command with the right disarms (Disarming; digest §1.1)",
        "armed-without-cause": "Nothing arms but a code, a key, a command or the schedule (Arming, Who)",
        "authority-ignored": "Who may disarm, and asks for it, is obeyed (Disarming)",
        "missed-lock-out": "At so many wrong codes a keypad is locked and it is recorded (Codes; digest §1.2)",
        "wrong-lock-out": "A keypad is not locked by fewer wrong codes, nor by another keypad's (Codes; digest §1.2)",
        "installer": "Installers enter only after a grant, while disarmed, leave after an hour (Codes; digest §1.1)",
        "one-time-code": "A one-time code is used up by its first use (Codes)",
        "bypass-without-cause": "Only those who may bypass or isolate, and only zones that may be (What a zone means)",
        "reset-without-cause": "Indications are reset by those who may (Sirens, Indications)",
        "silenced-without-cause": "Only who may disarm silences (Codes)",
        "command": "A command's counter is used once; what is not genuine does nothing (Remote commands)",
        # what survives
        "arming-lost": "Comes back as it was: no restart or power cut disarms or arms (GB 50394; Disarming)",
        "bypass-kept": "Disarming ends a bypass; isolation goes on until it is removed (What a zone means)",
        "bypass-lost": "A bypass lasts as long as its arming, over restarts too (What a zone means)",
        "indication-lost": "Indications stay until a reset by somebody who may (Sirens, Indications; GB 50394)",
        "indication-order": "Indications are kept in the order of their alarms (GB 50394: one after another)",
        # held reports
        "report-unresolved": "A held report is followed by its alarm or its abort (False alarms; EN 50131-1/A1)",
        "report-both": "A held report is reported or aborted, never both (False alarms, Abort window)",
        "report-early": "A held report waits for its time (False alarms, Abort window; EN 50131-1/A1: 30 s)",
        "abort-without-disarm": "Only disarming in time aborts a held report (False alarms, Abort window)",
        "cancel": "Disarming within the window after an intruder report cancels it, nothing else does (CP-01 row 11)",
        "recent-close": "The first alarm soon after arming says so, and only that (CP-01 row 20)",
        "swinger": "After so many alarms in one armed period a zone rests, not before (CP-01 row 15)",
        "cross-zone": "The first of a cross group is only recorded; the second alarms (CP-01 row 14)",
        "confirmed": "Only two detectors within the time confirm an alarm (digest §6)",
        "hold-up-confirmed": "Only a second signal in its window, or a tamper, confirms a hold-up (digest §6)",
        "reinstated": "Reinstatement follows an alarm that nobody confirmed (digest §6)",
        # clocks
        "late-to-close": "An area that is not armed some minutes after closing is reported, once (Arming, Schedule)",
        "auto-arm": "Automatic arming comes when due by a sure clock, or says why not (Arming, Schedule)",
        "outside-hours": "A disarming outside opening hours is recorded as that, and no other (Arming, Schedule)",
        "daily-report": "One report a day, at its minute, that says whether a trouble stands (Tests)",
        # tours and tests
        "tour": "A checkpoint is reached or missed, as its guard walked (Guard tours)",
        "test-endless": "Every test ends by itself (Tests; CP-01 row 24)",
        "test-without-cause": "Tests are begun by those who may (Tests)",
        # troubles
        "missed-trouble": "A trouble's begin and end are recorded (Troubles)",
        "trouble-without-cause": "No trouble is recorded that is not there (Troubles)",
        "trouble-repeated": "A trouble's begin and end are recorded once each (Troubles)",
        # reports
        "unknown-kind": "Every record is of the vocabulary, in its lane (rules/vocabulary.py)",
        "journal-gap": "Sequence numbers have no gaps (DESIGN, The journal)",
        "not-delivered": "What is recorded arrives at the center once the link is good (DESIGN, promise 2)",
        "center-differs": "The center holds what the journal holds, and nothing twice (DESIGN, promise 2)",
        "limit": "Lists are bounded (Limits)",
    }
)
