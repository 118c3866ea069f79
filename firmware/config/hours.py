"""Times of day and opening hours as a panel file writes them: "17:30", "08:30-17:30", "closed"."""

import re

CLOSED = "closed"
MINUTES_A_DAY = 1440
TIME = r"^[0-9]{1,2}:[0-9]{2}$"
HOURS = r"^(closed|[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2})$"
DATE = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_TIME = re.compile(TIME)
_HOURS = re.compile(HOURS)


def minute_of(text: str) -> int | None:
    """Minutes of the day, 0 to 1440 (24:00 is the day's end); None for what is no time."""
    if not _TIME.fullmatch(text) or not text.isascii():
        return None
    hour, minute = map(int, text.split(":"))
    total = 60 * hour + minute
    return total if minute < 60 and total <= MINUTES_A_DAY else None


def hours_of(text: str) -> tuple[int, int] | None:
    """Opening and closing, minutes of the day; None for `closed` and for what are no hours of one day."""
    if text == CLOSED or not _HOURS.fullmatch(text):
        return None
    opens, closes = map(minute_of, text.split("-"))
    return (opens, closes) if opens is not None and closes is not None and opens < closes else None


def are_hours(text: str) -> bool:
    """Whether the text is `closed` or hours of one day."""
    return text == CLOSED or hours_of(text) is not None


def time_text(minute: int) -> str:
    """`03:17` for a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def hours_on(week: object, weekday: int) -> str:
    """What a [[schedule]] (its model or view) says for a weekday, 0 Monday: the day's own key, else its group's."""
    own = getattr(week, WEEKDAYS[weekday])
    return str(own or getattr(week, "weekdays" if weekday < 5 else "weekend") or "")
