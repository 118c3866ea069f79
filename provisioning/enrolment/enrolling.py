"""The enrolment itself, without a terminal: a request that waits, its answer, and what came of it.

Every step may be cut and done again: the request is kept before it leaves, the same one gets the same answer.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from firmware.clock import Clock, SystemClock, utc_text
from firmware.config import Loaded
from firmware.protocol import enrolment as e
from firmware.protocol.jws import b64url, key_id, load_public
from firmware.protocol.messages import Enrolled
from firmware.uplink.pair import ends_at, load_chain
from provisioning.enrolment import core_key, http
from provisioning.enrolment.checking import compared, read, sound
from provisioning.enrolment.place import Answered, Place, Waiting, place_of


@dataclass(frozen=True)
class Done:
    """An enrolment that is in force."""

    certificate: x509.Certificate
    answer: e.EnrolmentAnswer | None
    recorded: core_key.Recording

    @property
    def members(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "certificate": self.certificate.fingerprint(hashes.SHA256()).hex(),
            "not_after": utc_text(ends_at(self.certificate)),
            "recorded": self.recorded == "recorded",
            "recorded_later": self.recorded == "later",
            "addresses": [each.model_dump() for each in self.answer.addresses] if self.answer else [],
        }


@dataclass
class Enrolling:
    """Of one path of a panel file. Raises `Trouble` where a step is not done."""

    loaded: Loaded
    path: str = ""
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.place: Place = place_of(self.loaded, self.path)

    def in_force(self, again: bool = False) -> x509.Certificate | None:
        """The certificate in force that has not ended. What a cut interrupted at its end is completed first.

        `again`: only such a one; another that is in force is to be replaced.
        """
        with self.place.alone():
            completed = self.place.settle()
            found = self.place.current()
            if completed:
                self._completed(found)
        if found is None or ends_at(found) <= self.clock.utc():
            return None
        return found if completed or not again else None

    def request(self, code: str = "") -> Waiting:
        """The request that goes out: the one that waits, where it was made with this code, else a new one.

        `code`: its 20 letters, empty for a comparison of fingerprints.
        """
        with self.place.alone():
            return self._request(code)

    def _request(self, code: str) -> Waiting:
        panel = self.place.panel
        keys = e.code_keys(code, panel) if code else None
        before = self.place.waiting()
        if before is not None and self.place.waiting_key() is not None and _made_with(before, keys):
            return before
        csr = self.place.certificate_request()
        token = core_key.signed(self.loaded, csr, b64url(os.urandom(16)))
        made = Waiting(
            panel=panel,
            request=token,
            mac=e.seal(keys.request if keys else None, token),
            answer_key=keys.answer.hex() if keys else "",
            made=utc_text(self.clock.utc()),
        )
        self.place.keep(made)
        return made

    def ask(self, url: str, code: str, ca: str = "") -> Done:
        """Over HTTPS, all of it."""
        with self.place.alone():
            waiting = self._request(code)
            return self._take(http.ask(url, sealed(waiting), ca), waiting)

    def take(self, text: bytes, waiting: Waiting, typed: str = "") -> Done:
        """Put an answer in force. `typed`: its fingerprint as the center reads it out, where there is no code."""
        with self.place.alone():
            return self._take(text, waiting, typed)

    def looked_at(self, text: bytes, waiting: Waiting, typed: str = "") -> Answered:
        """What `take` would put in force."""
        return self._checked(text, waiting, typed)[1]

    def _checked(self, text: bytes, waiting: Waiting, typed: str) -> tuple[e.EnrolmentAnswer, Answered]:
        token, answer = read(text, waiting)
        compared(token, waiting, typed)
        return answer, sound(answer, self.place, self.clock)

    def _take(self, text: bytes, waiting: Waiting, typed: str = "") -> Done:
        answer, answered = self._checked(text, waiting, typed)
        waiting = waiting.model_copy(update=_told(answer))
        self.place.put(answered, waiting)
        return Done(answered.leaf, answer, self._record(answered.leaf, waiting))

    def _completed(self, found: x509.Certificate | None) -> None:
        """A cut came between the answer's coming into force and its record."""
        waiting = self.place.waiting()
        if found is not None and waiting is not None:
            # A version before kept no authorities with the request.
            kept = waiting.authorities or _authorities(self.place)
            self._record(found, waiting.model_copy(update={"authorities": kept}))

    def _record(self, leaf: x509.Certificate, waiting: Waiting) -> core_key.Recording:
        told = [
            Enrolled(
                path=path,
                certificate=leaf.fingerprint(hashes.SHA256()).hex(),
                authorities=waiting.authorities,
                keys=waiting.keys,
                not_after=utc_text(ends_at(leaf)),
                proof="code" if waiting.answer_key else "fingerprint",
            )
            for path in self.place.paths
        ]
        how = core_key.recorded(self.loaded, told)
        self.place.done()
        return how

    def standing(self) -> dict[str, Any]:
        """Where it stands; changes nothing."""
        found, waiting = self.place.current(), self.place.waiting()
        members: dict[str, Any] = {"panel": self.place.panel, "path": self.place.path, "paths": self.place.paths}
        if found is not None:
            members["certificate"] = found.fingerprint(hashes.SHA256()).hex()
            members["not_after"] = utc_text(ends_at(found))
            members["authorities"] = _authorities(self.place)
        members["enrolled"] = found is not None and ends_at(found) > self.clock.utc()
        members["waiting"] = waiting.made if waiting is not None else None
        return members


def sealed(waiting: Waiting) -> bytes:
    """A request as it travels."""
    return json.dumps({"request": waiting.request, "mac": waiting.mac}).encode()


def _made_with(waiting: Waiting, keys: e.CodeKeys | None) -> bool:
    if keys is None:
        return not waiting.mac
    return bool(waiting.mac) and e.is_sealed(keys.request, waiting.request, waiting.mac)


def _told(answer: e.EnrolmentAnswer) -> dict[str, list[str]]:
    """What the record says of an answer, each once."""
    authorities = map(_fingerprint, (*answer.authorities, *answer.client_authorities))
    keys = (*answer.receipt_keys, *answer.command_keys, *answer.root_keys)
    ids = (key_id(load_public(key)) for key in keys)
    return {"authorities": list(dict.fromkeys(authorities)), "keys": list(dict.fromkeys(ids))}


def _fingerprint(pem: str) -> str:
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()


def _authorities(place: Place) -> list[str]:
    try:
        return [each.fingerprint(hashes.SHA256()).hex() for each in load_chain(place.ca.read_bytes())]
    except (OSError, ValueError):
        return []
