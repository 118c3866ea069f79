"""What `fenghuo enroll` tells: in words for a person, as one JSON object for a machine, as QR codes for a camera."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from cryptography import x509

from firmware.clock import utc_text
from firmware.config import BadPanelFile
from firmware.protocol.enrolment_parts import BadPart, parts
from firmware.protocol.one_time_code import fingerprint
from firmware.uplink.pair import ends_at
from provisioning.enrolment import center_keys
from provisioning.enrolment.drop import Drop
from provisioning.enrolment.enrolling import Done, Enrolling, sealed
from provisioning.enrolment.place import Waiting
from provisioning.enrolment.texts import say, text
from provisioning.enrolment.trouble import EXIT_REFUSED, EXIT_WRONG, Trouble
from provisioning.questions import agreed

_RECORDING = {"recorded": "recorded", "later": "recorded-later", "no": "not-recorded"}


def finish(it: Enrolling, done: Done, take_keys: bool, as_json: bool, code_stdin: bool = False) -> None:
    """Tell, and see to the center's keys. `code_stdin`: where an installer's code is needed it is the next line."""
    place, found = it.place, done.answer
    if not as_json:
        until, paths = utc_text(ends_at(done.certificate)), ", ".join(place.paths)
        print(say("done", panel=place.panel, paths=paths, until=until))
        print(say(_RECORDING[done.recorded]))
        print(say("uplink"))
        for each in found.addresses if found else ():
            print(say("address", host=each.host, port=each.port))
    differences = center_keys.differing(it.loaded, found) if found else {}
    taken = False
    if found is not None and differences and _taking(differences, take_keys, as_json):
        center_keys.take(it.loaded, found, code_stdin)
        taken = True
        if not as_json:
            print(say("taken", file=it.loaded.path))
    if as_json:
        members = {"panel": place.panel, "paths": place.paths, **done.members}
        keys = {"keys_differ": sorted(differences), "keys_taken": taken}
        print(json.dumps({"ok": True, "enrolled": True, "already": False, **members, **keys}, ensure_ascii=False))


def _taking(differences: dict[str, tuple[Any, Any]], take_keys: bool, as_json: bool) -> bool:
    """Whether the center's keys are wanted in the panel file."""
    if as_json:
        return take_keys
    print(say("differs"))
    print("\n".join(center_keys.said(differences)))
    if take_keys or (sys.stdin.isatty() and agreed(text("take"))):
        return True
    print(say("not-taken"))
    return False


def was(it: Enrolling, found: x509.Certificate, as_json: bool) -> None:
    """It was enrolled already."""
    until = utc_text(ends_at(found))
    if as_json:
        members = {"panel": it.place.panel, "paths": it.place.paths, **Done(found, None, "no").members}
        print(json.dumps({"ok": True, "enrolled": True, "already": True, **members}, ensure_ascii=False))
    else:
        print(say("was", panel=it.place.panel, until=until))


def show_dry(it: Enrolling, wish: Drop | tuple[str, str], found: x509.Certificate | None, as_json: bool) -> None:
    """What would be asked and written; nothing where `found` is in force."""
    url = wish.center if isinstance(wish, Drop) else wish[0]
    place, waiting = it.place, it.place.waiting()
    files = {"key": str(place.pair.key), "certificate": str(place.pair.certificate), "ca": str(place.ca)}
    if as_json:
        members = {"panel": place.panel, "center": url, "already": found is not None, "files": files}
        print(json.dumps({"ok": True, "dry_run": True, **members}, ensure_ascii=False))
    elif found is not None:
        was(it, found, False)
    else:
        print(say("dry", url=url, panel=place.panel, **files))
        if waiting is not None:
            print(say("dry-waits", made=waiting.made))


def show_answer(it: Enrolling, until: str, as_json: bool) -> None:
    """An answer counts, and would be put in force."""
    paths = ", ".join(it.place.paths)
    if as_json:
        print(json.dumps({"ok": True, "dry_run": True, "panel": it.place.panel, "not_after": until}))
    else:
        print(say("would", panel=it.place.panel, until=until, paths=paths))


def give(made: Waiting, out: Path | None, qr: bool, pictures: dict[str, Path | None], as_json: bool) -> None:
    """The request, in the forms that were asked for; to standard output where none was. Raises `Trouble`."""
    whole, files = sealed(made), []
    try:
        if out is not None:
            out.write_bytes(whole + b"\n")
            files.append(str(out))
        for kind, folder in pictures.items():
            if folder is not None:
                from provisioning.enrolment import qr as drawing

                files += [str(file) for file in drawing.pictures(whole, folder, kind)]
    except OSError as error:
        raise Trouble("cant-write", file=error.filename or out, detail=error.strerror) from None
    shown = "" if made.mac else fingerprint(made.request)
    if as_json:
        members = {"files": files, "fingerprint": shown, "parts": parts(whole)}
        print(json.dumps({"ok": True, **members, **({} if files else {"request": json.loads(whole)})}))
        return
    for file in files:
        print(say("request-file", file=file))
    if qr:
        _show_codes(parts(whole))
    elif not files:
        print(whole.decode())
    if shown:
        print(say("read-out", fingerprint=shown))
    print(say("carry"), file=sys.stderr)


def _show_codes(texts: list[str]) -> None:
    from provisioning.enrolment.qr import drawn

    for number, part in enumerate(texts, 1):
        print(drawn(part))
        print(say("part", number=number, count=len(texts)))
        print(part)
        if number < len(texts) and sys.stdin.isatty():
            input(say("next"))


def listed(numbers: list[int]) -> str:
    """Numbers as they are said."""
    return ", ".join(map(str, numbers)) or "–"


@contextmanager
def in_words(as_json: bool) -> Iterator[None]:
    """Turns what can go wrong into words and an exit code."""
    try:
        yield
    except BadPanelFile as bad:
        _say_wrong("panel-file", bad.say(), as_json)
        raise typer.Exit(EXIT_WRONG) from None
    except Trouble as trouble:
        _say_wrong(trouble.reason, str(trouble), as_json)
        raise typer.Exit(trouble.code) from None
    except BadPart as bad:
        _say_wrong("not-ours", str(bad), as_json)
        raise typer.Exit(EXIT_REFUSED) from None


def _say_wrong(reason: str, why: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": False, "reason": reason, "why": why}, ensure_ascii=False))
    else:
        print(why, file=sys.stderr)
