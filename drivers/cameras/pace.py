"""Which packets of a stream are worth decoding, when far fewer pictures are wanted than come.

A stream of key frames alone (MJPEG) is thinned out; in one with other frames between, all are decoded unless its key
frames come often enough. Whoever falls behind the camera's own clock skips to key frames until he has caught up.
"""

LATE_S = 1.0
CAUGHT_UP_S = 0.3
JUMP_S = 30.0
"""More is no delay: the camera has set its clock."""
DRIFT = 0.001
"""Cameras' clocks run apart from ours, at most so much (crystals: 0.0001); else a day of drift would read as delay."""
SLACK = 0.9
"""A key frame counts as often enough, and as due, a tenth early: cameras are not punctual."""
STEADY = 3
"""So many key frames in a row at the right distance, before the others are left out."""


class Pace:
    """For one stream; `seconds` are the stream's own time, None where a packet has none."""

    def __init__(self, frames_per_s: int) -> None:
        self._every = 1 / frames_per_s
        self._key_at: float | None = None
        self._frequent = 0
        self._wanted_at: float | None = None
        self._offset: float | None = None
        self._looked_at = 0.0
        self._late = False
        self._broken = False

    def worth(self, key: bool, seconds: float | None, now_ms: int) -> bool:
        """Whether to decode this packet."""
        if seconds is None:
            return True
        self._measure(seconds, now_ms / 1000)
        if key:
            self._count(seconds)
            wanted = self._frequent < STEADY or self._due(seconds)
            if wanted:
                self._wanted_at = seconds
        else:
            # What follows a frame that was left out can't be decoded, up to the next key frame.
            wanted = not (self._broken or self._late or self._frequent >= STEADY)
        self._broken = not wanted
        return wanted

    def _count(self, seconds: float) -> None:
        if self._key_at is not None:
            often = 0 <= seconds - self._key_at <= self._every / SLACK
            self._frequent = self._frequent + 1 if often else 0
        self._key_at = seconds

    def _due(self, seconds: float) -> bool:
        before = self._wanted_at
        # A clock that jumps back begins anew.
        return before is None or not 0 <= seconds - before < self._every * SLACK

    def _measure(self, seconds: float, now_s: float) -> None:
        """How far we are behind the best that this connection has shown."""
        offset = now_s - seconds
        best = offset if self._offset is None else self._offset + DRIFT * (now_s - self._looked_at)
        self._looked_at = now_s
        self._offset = min(best, offset) if offset - best < JUMP_S else offset
        lag = offset - self._offset
        self._late = lag > LATE_S or (self._late and lag > CAUGHT_UP_S)
