"""Why a card is not flashed: one exception, its text in the technician's language."""

from firmware.language import Text, pick


class CantFlash(Exception):
    """It is not done, or it failed on the way. The text says what was found and what to do."""


def refuse(text: Text, /, **values: object) -> CantFlash:
    """To be raised."""
    return CantFlash(pick(text, **values))


def said(error: OSError) -> str:
    """What the system said, in its own words."""
    return error.strerror or str(error)
