"""The center's keys in an answer against those of the panel file, and putting them in.

They are what the panel believes from then on, so a file that says otherwise is changed only where somebody wants it:
directly where core does not run, else as `fenghuo site install` does it.
"""

import os
from typing import Any

from firmware.config import BadPanelFile, Loaded, checked
from firmware.language import Text, pick
from firmware.protocol.enrolment import EnrolmentAnswer
from provisioning import site_install
from provisioning.enrolment.core_key import runs
from provisioning.enrolment.trouble import Trouble
from provisioning.site_text import with_key, write_whole
from provisioning.technician import NoAnswer

NAMES = ("receipt_keys", "command_keys", "root_keys", "keys_serial")
_SAID: Text = (
    "[center] {name}: the panel file says {ours}, the center {theirs}",
    "[center] {name}：配置文件为 {ours}，中心为 {theirs}",
)


def differing(loaded: Loaded, answer: EnrolmentAnswer) -> dict[str, tuple[Any, Any]]:
    """What the file says, and what the center says, by name; in the order of `NAMES`."""
    center = loaded.file.center
    ours = {name: getattr(center, name) if center else None for name in NAMES}
    theirs = {name: getattr(answer, name) for name in NAMES}
    return {name: (ours[name], theirs[name]) for name in NAMES if ours[name] != theirs[name]}


def said(differences: dict[str, tuple[Any, Any]]) -> list[str]:
    """In words, a line each."""
    return [
        pick(_SAID, name=name, ours=_text(ours), theirs=_text(theirs)) for name, (ours, theirs) in differences.items()
    ]


def take(loaded: Loaded, answer: EnrolmentAnswer, code_stdin: bool = False) -> None:
    """Put the center's keys into the panel file. Raises `Trouble`; then the file is as it was."""
    text = loaded.text
    for name, (_, theirs) in differing(loaded, answer).items():
        text = with_key(text, f"center.{name}", theirs)
    try:
        checked(loaded.path, text.encode())
        if runs(loaded):
            _install(loaded, text, code_stdin)
        else:
            status = loaded.path.stat()
            write_whole(loaded.path, text, keep=True)
            loaded.path.chmod(status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.chown(loaded.path, status.st_uid, status.st_gid)
    except BadPanelFile as bad:
        raise Trouble("cant-write", file=loaded.path, detail=bad.say()) from None
    except NoAnswer as no:
        raise Trouble("cant-write", file=loaded.path, detail=no) from None
    except OSError as error:
        raise Trouble("cant-write", file=loaded.path, detail=error.strerror or error) from None


def _install(loaded: Loaded, text: str, code_stdin: bool) -> None:
    proposed = loaded.path.with_name(f"{loaded.path.name}.enrolled")
    write_whole(proposed, text)
    try:
        after = checked(proposed, text.encode())
        site_install.carry_out(loaded, after, code_stdin, yes=True)
    finally:
        proposed.unlink(missing_ok=True)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, list) else "–" if value is None else str(value)
