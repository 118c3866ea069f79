"""The version of this software, as records, welcome messages and the package carry it."""

VERSION = "0.1.0"
BUILT = "2026-11-23T00:00:00.000Z"
"""A time before which this version did not exist: the floor of a clock that knows nothing better. Set by a release."""
FLOOR = "0.1.0"
"""No panel that had this version in force goes back below. Set by a release; never lower than that before."""
