"""Whether an answer counts: sealed by the code, to the request that waits, with a sound certificate of ours."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.clock import Clock
from firmware.protocol.enrolment import EnrolmentAnswer, EnrolmentRequest, SealedAnswer, fits, is_sealed, read_answer
from firmware.protocol.enrolment import read_request as read_sealed
from firmware.protocol.jws import Refused
from firmware.protocol.one_time_code import same_fingerprint
from firmware.uplink.issued import Unfit, first_checked
from provisioning.enrolment.place import Answered, Place, Waiting
from provisioning.enrolment.trouble import Trouble


def read(text: bytes, waiting: Waiting) -> tuple[SealedAnswer, EnrolmentAnswer]:
    """An answer to the request that waits; where that has a code, sealed by it. Raises `Trouble`."""
    try:
        sealed, answer = read_answer(text)
    except Refused as refused:
        raise Trouble("not-ours", detail=refused) from None
    if waiting.answer_key and not is_sealed(bytes.fromhex(waiting.answer_key), sealed.answer, sealed.mac):
        raise Trouble("bad-mac")
    try:
        fits(answer, _request(waiting), waiting.request)
    except Refused as refused:
        raise Trouble("not-ours", detail=refused) from None
    return sealed, answer


def compared(sealed: SealedAnswer, waiting: Waiting, typed: str) -> None:
    """An answer without a code counts by the fingerprint that somebody typed. Raises `Trouble`."""
    if waiting.answer_key:
        return
    if not typed:
        raise Trouble("no-fingerprint")
    if not same_fingerprint(typed, sealed.answer):
        raise Trouble("fingerprint")


def sound(answer: EnrolmentAnswer, place: Place, clock: Clock) -> Answered:
    """The certificates of an answer that is believed. Raises `Trouble`."""
    key = place.waiting_key()
    if key is None:
        raise Trouble("nothing-waits")
    try:
        brokers = [_authority(pem) for pem in answer.authorities]
        clients = [_authority(pem) for pem in answer.client_authorities] or brokers
        leaf, chain = first_checked(answer.chain, place.panel, key, clients, _now(answer, clock))
    except (Unfit, ValueError) as error:
        raise Trouble("not-ours", detail=error) from None
    if place.client_ca is None and any(each not in brokers for each in clients):
        raise Trouble("client-ca", path=place.path)
    return Answered(leaf, chain, _pem(brokers), _pem(clients))


def _now(answer: EnrolmentAnswer, clock: Clock) -> float:
    """A clock that nobody keeps knows less than who has just answered."""
    return clock.utc() if clock.state() == "synchronised" else datetime.fromisoformat(answer.time).timestamp()


def _request(waiting: Waiting) -> EnrolmentRequest:
    return read_sealed(f'{{"request":"{waiting.request}","mac":"{waiting.mac}"}}')[1]


def _authority(pem: str) -> x509.Certificate:
    """Raises `ValueError`."""
    found = x509.load_pem_x509_certificate(pem.encode())
    try:
        if found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return found
    except x509.ExtensionNotFound:
        pass
    raise ValueError("an authority's certificate is none of an authority")


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
