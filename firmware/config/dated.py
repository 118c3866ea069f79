"""The models of what happens by the clock on the wall: schedules, special days, guard tours."""

from typing import Literal

from pydantic import Field

from firmware.config.base import Date, Hours, Id, Model, Name, Time

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Schedule(Model):
    """`[[schedule]]`: when an area should be open. Hours are `"08:30-17:30"` or `"closed"`.

    `weekdays` and `weekend` stand for the days that have no key of their own. `late_after_min` after closing an area
    that is not armed is reported, `auto_arm_after_min` after closing it arms itself; left out: never.
    """

    id: Id
    weekdays: Hours | None = None
    weekend: Hours | None = None
    monday: Hours | None = None
    tuesday: Hours | None = None
    wednesday: Hours | None = None
    thursday: Hours | None = None
    friday: Hours | None = None
    saturday: Hours | None = None
    sunday: Hours | None = None
    late_after_min: int | None = Field(default=None, ge=0, le=720)
    auto_arm_after_min: int | None = Field(default=None, ge=0, le=720)
    warn_min: int = Field(default=10, ge=1, le=60, description="before it arms itself")
    postpone_min: int = Field(default=30, ge=5, le=240)
    postpones: int = Field(default=3, ge=0, le=10, description="so often a user may postpone it")


class Day(Model):
    """`[[day]]`: a day, or all from `date` to `until`, that goes by other hours than its weekday, on every schedule."""

    date: Date
    until: Date | None = None
    name: Name | None = None
    hours: Hours


class Stop(Model):
    """One of the `stops` of a tour: the checkpoint is due from `after_min` to `until_min` after the tour's start."""

    zone: Id
    after_min: int = Field(default=0, ge=0, le=1440)
    until_min: int = Field(ge=1, le=1440)


class Tour(Model):
    """`[[tour]]`: a guard's route (电子巡更). It starts at each of `starts` on each of `days`."""

    id: Id
    name: Name
    days: list[Weekday] = Field(
        default=["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        min_length=1,
        max_length=7,
    )
    starts: list[Time] = Field(min_length=1, max_length=48)
    stops: list[Stop] = Field(min_length=1, max_length=64)
