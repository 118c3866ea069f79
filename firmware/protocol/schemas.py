"""JSON Schemas of everything that leaves a process: `python -m firmware.protocol.schemas docs/schemas`.

They are made from the models, which are what counts: a schema can't say that an envelope repeats its header, or that a
range runs forwards. Core never imports this.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from firmware.places import places
from firmware.protocol import enrolment, envelope, evidence, messages, records, signed

BASE = "https://fenghuo.invalid/v1/schemas/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

WIRE: dict[str, tuple[str, TypeAdapter[Any]]] = {
    "header": ("Header of a record", TypeAdapter(records.Header)),
    "record": ("Record", TypeAdapter(records.Record)),
    "event": ("Record as a CloudEvent", TypeAdapter(envelope.Event)),
    "batch": ("CloudEvents batch of records", envelope.batch),
    "telemetry": ("Telemetry item as a CloudEvent", TypeAdapter(envelope.TelemetryEvent)),
    "telemetry-batch": ("CloudEvents batch of telemetry items", envelope.telemetry_batch),
    "link": ("Link of a panel, retained", TypeAdapter(envelope.Link)),
    "certificate": ("A client certificate from the center", TypeAdapter(envelope.IssuedCertificate)),
    "picture": ("Part of a picture, or why none comes", envelope.picture),
    "fetch": ("What the center wants of a picture", TypeAdapter(envelope.Fetch)),
    "state": ("Public state of a panel, retained", TypeAdapter(envelope.PublicState)),
    "heartbeat": ("Payload of a heartbeat's JWS", TypeAdapter(signed.Heartbeat)),
    "receipt": ("Payload of a receipt's JWS", TypeAdapter(signed.Receipt)),
    "command": ("Payload of a command's JWS", TypeAdapter(signed.Command)),
    "keys": ("Payload of an exchange of keys, a JWS", TypeAdapter(signed.KeyRotation)),
    "time": ("Payload of the center's time, a JWS", TypeAdapter(signed.CenterTime)),
    "reply": ("Payload of a reply's JWS", TypeAdapter(signed.Reply)),
    "renewal": ("Payload of a renewal's JWS", TypeAdapter(signed.Renewal)),
    "checkpoint": ("Payload of a checkpoint's JWS", TypeAdapter(signed.Checkpoint)),
    "base": ("Payload of a base's JWS", TypeAdapter(signed.Base)),
    "tick": ("Payload of a tick's JWS", TypeAdapter(signed.Tick)),
}

SOCKETS: dict[str, tuple[str, TypeAdapter[Any]]] = {
    "socket-from-uplink": ("A line from the uplink to core", messages.from_uplink),
    "socket-to-uplink": ("A line from core to the uplink", messages.to_uplink),
    "socket-from-camera": ("A line from the camera process to core", messages.from_camera),
    "socket-to-camera": ("A line from core to the camera process", messages.to_camera),
    "socket-from-clock": ("A line from the process that sets the clock to core", messages.from_clock),
    "socket-to-clock": ("A line from core to the process that sets the clock", messages.to_clock),
    "socket-from-updater": ("A line from the updater to core", messages.from_updater),
    "socket-to-updater": ("A line from core to the updater", messages.to_updater),
    "socket-from-technician": ("A line from the technician's tools to core", messages.from_technician),
    "socket-to-technician": ("A line from core to the technician's tools", messages.to_technician),
    "socket-from-desk": ("A line from the desk to core, simulated pins only", messages.from_desk),
    "socket-to-desk": ("A line from core to the desk, simulated pins only", messages.to_desk),
}

FILES: dict[str, tuple[str, TypeAdapter[Any]]] = {
    "bundle": ("Payload of a bundle's JWS", TypeAdapter(signed.Bundle)),
    "acceptance": ("Payload of an acceptance or trial report's JWS", TypeAdapter(signed.SignedReport)),
    "evidence-manifest": ("Manifest file of a capture", TypeAdapter(evidence.CaptureManifest)),
}
"""What lies on the panel's card and in bundles."""

ENROLMENT: dict[str, tuple[str, TypeAdapter[Any]]] = {
    "enrolment": ("Payload of an enrolment's JWS", TypeAdapter(enrolment.EnrolmentRequest)),
    "enrolment-answer": ("Payload of the JWS that answers an enrolment", TypeAdapter(enrolment.EnrolmentAnswer)),
    "enrolment-sealed": ("An enrolment as it travels", TypeAdapter(enrolment.SealedRequest)),
    "enrolment-answer-sealed": ("Its answer as it travels", TypeAdapter(enrolment.SealedAnswer)),
}
"""What a new panel and the center say to each other (docs/enrolment.md)."""
ALL = WIRE | SOCKETS | FILES | ENROLMENT


def schema(name: str) -> dict[str, Any]:
    """The schema of one name of `ALL`.

    In the form of what is sent: members that always go out are required. What others send to us may leave
    out members that have a default, so those schemas are in the form of what is read.
    """
    title, adapter = ALL[name]
    reading = name in {"receipt", "command", "keys", "time", "certificate", "fetch"} or name.startswith("socket-from-")
    body = adapter.json_schema(mode="validation" if reading else "serialization")
    for model in (body, *body.get("$defs", {}).values()):
        _require_type(model)
    return {"$schema": DIALECT, "$id": f"{BASE}{name}.json", **body, "title": title}


def _require_type(model: dict[str, Any]) -> None:
    """`type` has a default in the models, but on a socket it tells the messages apart."""
    if "const" in model.get("properties", {}).get("type", {}):
        model["required"] = sorted({*model.get("required", []), "type"})


def text(name: str) -> str:
    """The file of one schema."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main(folder: Path) -> None:
    """Write all schemas, and delete those that are no longer made."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{name}.json" for name in ALL}
    for file in folder.glob("*.json"):
        if file.name not in wanted:
            file.unlink()
    for name in ALL:
        (folder / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    for place in places(sys.argv[1:], __doc__):
        main(place)
