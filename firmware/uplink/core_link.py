"""The uplink's end of core's socket: whole, typed messages in both directions, and a new try when core restarts."""

import logging
from pathlib import Path

from pydantic import ValidationError

from firmware.protocol.lines import Caller, Client, LineTooLong
from firmware.protocol.messages import Records, to_uplink
from firmware.uplink.events import CoreLost, FromCore, Pulled, ToCore
from firmware.uplink.thumbnails import thumbnails

log = logging.getLogger("fenghuo.uplink.core")

RETRY_MS = 500
AT_ONCE = 64
"""Messages taken in one turn, so that the loop looks elsewhere too."""


class CoreLink:
    """The connection to core, made anew whenever it is lost."""

    def __init__(self, socket: Path, evidence: Path) -> None:
        """`socket`: core's `uplink.sock`. `evidence`: the folder that thumbnails are read from."""
        self._core = Caller(socket, log)
        self._evidence = evidence
        self._client: Client | None = None
        self._try_at = 0

    @property
    def connected(self) -> bool:
        """Whether there is a connection to wait on."""
        return self._client is not None

    def fileno(self) -> int:
        """For `select`, while connected."""
        return -1 if self._client is None else self._client.fileno()

    def next_deadline(self) -> int | None:
        """When to try to connect."""
        return self._try_at if self._client is None else None

    def pending(self) -> bool:
        """Whether a message has been read already."""
        return self._client is not None and self._client.pending()

    def try_connect(self, now_ms: int) -> None:
        """Connect when it is time."""
        if self._client is not None or now_ms < self._try_at:
            return
        self._try_at = now_ms + RETRY_MS
        self._client = self._core.call()
        if self._client is not None:
            log.info("connected to core")

    def receive(self) -> list[FromCore]:
        """What core said, in order; `CoreLost` last when the connection ended or core talks nonsense."""
        found: list[FromCore] = []
        try:
            while self._client is not None and len(found) < AT_ONCE and (event := self._one(self._client)):
                found.append(event)
        except (OSError, ValueError, LineTooLong, ValidationError) as error:
            found.append(self._lost(error))
        return found

    def send(self, message: ToCore) -> CoreLost | None:
        """Send; `CoreLost` when that failed."""
        if self._client is None:
            return None
        try:
            self._client.send(message)
        except OSError as error:
            return self._lost(error)
        return None

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _one(self, client: Client) -> FromCore | None:
        line = client.receive_line(0.0)
        if line is None:
            return None
        message = to_uplink.validate_json(line)
        if isinstance(message, Records):
            return Pulled(message, thumbnails(self._evidence, message.records))
        event: FromCore = message
        return event

    def _lost(self, error: Exception) -> CoreLost:
        # A validation error quotes the message; its first line says enough, and a log holds no payloads.
        log.warning("the connection to core was lost: %s", str(error).splitlines()[0][:200])
        self.close()
        return CoreLost()
