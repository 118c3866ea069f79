"""Core of a panel that is reached through the rig's agent: its technician socket, and its public key."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

from hil.center.keys import read_jwk_x
from hil.demo_panel import detail_of
from hil.rigs.machine.agent import AgentError, GuestAgent
from hil.rigs.protocol import RigFault

Reach = Callable[[], GuestAgent]
"""The agent as it is now; raises `RigFault` where there is none."""
SOCKET = "/run/fenghuo/technician.sock"


def ask(reach: Reach, message: BaseModel, within_s: float) -> dict[str, Any]:
    """The detail of core's answer. Raises `Refused`, and `OSError` where core is not reached."""
    try:
        lines = reach().ask(SOCKET, [message.model_dump_json()], 1, within_s)
    except (AgentError, RigFault) as error:
        raise OSError(str(error)) from error
    return detail_of(json.loads(lines[0]) if lines and lines[0] else {})


def public_x(reach: Reach, data: str) -> str | None:
    """The `x` of core's key, from the panel's data folder; None while there is none to be had."""
    with suppress(AgentError, RigFault, ValueError, KeyError):
        return read_jwk_x(reach().get(f"{data}/keys/core.jwk").decode())
    return None
