"""The AsyncAPI 3.0 document of a panel: `python -m firmware.protocol.asyncapi docs/asyncapi.json`.

Every topic with who publishes on it, how, and the JSON Schema of what stands there. It names the schema files that
`firmware.protocol.schemas` makes; nothing is said twice. Core never imports this.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from firmware.places import places
from firmware.protocol import envelope, typ
from firmware.protocol.schemas import WIRE
from firmware.protocol.topics import ROOT

Sender: TypeAlias = Literal["panel", "center"]

JOSE = "application/jose"
JSON = "application/json"
COMMAND_LIFE_S = 60
PANEL_PATTERN = "3 to 48 of `a-z 0-9 -`, begins with a letter or digit"
_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_COMPACT = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"


@dataclass(frozen=True)
class Channel:
    """One topic. `schema`: name of the file in docs/schemas; with `typ` that of a JWS's content."""

    words: str
    sender: Sender
    qos: int
    retain: bool
    content: str
    schema: str
    text: str
    typ: str = ""
    life_s: int = 0

    @property
    def id(self) -> str:
        """Its name in the document."""
        return self.words.replace("{path}", "further").replace("/", "-")


CHANNELS: tuple[Channel, ...] = (
    *(
        Channel(f"event/{lane}", "panel", 1, False, envelope.CONTENT_TYPE, "event", f"one record of the lane {lane}")
        for lane in ("alarm", "status", "evidence")
    ),
    *(
        Channel(
            f"batch/{lane}", "panel", 1, False, envelope.BATCH_CONTENT_TYPE, "batch", "1 to 64 records of a backlog"
        )
        for lane in ("alarm", "status", "evidence")
    ),
    Channel("event/telemetry", "panel", 1, False, envelope.CONTENT_TYPE, "telemetry", "a health figure, no receipt"),
    Channel("batch/telemetry", "panel", 1, False, envelope.BATCH_CONTENT_TYPE, "telemetry-batch", "health figures"),
    Channel("heartbeat", "panel", 0, False, JOSE, "heartbeat", "it lives, its journal's head", typ.HEARTBEAT),
    Channel("reply", "panel", 1, False, JOSE, "reply", "what became of a command", typ.REPLY),
    Channel("renewal", "panel", 1, False, JOSE, "renewal", "asks for its next client certificate", typ.RENEWAL),
    Channel("picture", "panel", 1, False, JSON, "picture", "a part of a picture that a command asked for"),
    Channel("state", "panel", 1, True, JSON, "state", "areas, zones, troubles; nothing of a silent alarm"),
    Channel("link", "panel", 1, True, JSON, "link", "online, or offline (also the last will)"),
    Channel("link/{path}", "panel", 1, True, JSON, "link", "the same of a further path"),
    Channel("receipt", "center", 1, False, JOSE, "receipt", "these records are stored", typ.RECEIPT),
    Channel("command", "center", 1, False, JOSE, "command", "do this now", typ.COMMAND, COMMAND_LIFE_S),
    Channel("keys", "center", 1, False, JOSE, "keys", "the center's keys from now on", typ.KEYS),
    Channel("time", "center", 1, False, JOSE, "time", "what time it is", typ.TIME, COMMAND_LIFE_S),
    Channel("fetch", "center", 1, False, JSON, "fetch", "the next part of a picture, please"),
    Channel("certificate", "center", 1, False, JSON, "certificate", "a panel's next client certificate"),
)


def document() -> dict[str, Any]:
    """The whole document. The application is the panel: what it sends, the center receives."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fenghuo alarm panel to alarm center",
            "version": "1",
            "description": "alarm-center.md beside this file tells the rest. 报警主机与报警中心接口。",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {"center": _server()},
        "channels": {channel.id: _channel(channel) for channel in CHANNELS},
        "operations": {f"{_action(channel)}-{channel.id}": _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {name: _message(name) for name in sorted({channel.schema for channel in CHANNELS})},
            "parameters": {
                "panel": {"description": f"Id of the panel: {PANEL_PATTERN}."},
                "path": {"description": "Which of its further paths.", "enum": ["second", "third", "fourth"]},
            },
            "securitySchemes": {
                "certificate": {"type": "X509", "description": "TLS client certificate, common name: the panel id."}
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "broker.center.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "description": "The center's broker. A panel connects with a clean start and keeps no session.",
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        "bindings": {
            "mqtt": {
                "bindingVersion": "0.2.0",
                "cleanSession": True,
                "keepAlive": 15,
                "sessionExpiryInterval": 0,
                "maximumPacketSize": 135_168,
                "lastWill": {"topic": f"{ROOT}/{{panel}}/link", "qos": 1, "retain": True},
            }
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    names = ["panel", "path"] if "{path}" in channel.words else ["panel"]
    return {
        "address": f"{ROOT}/{{panel}}/{channel.words}",
        "description": channel.text,
        "messages": {channel.schema: {"$ref": f"#/components/messages/{channel.schema}"}},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in names},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    mqtt: dict[str, Any] = {"bindingVersion": "0.2.0", "qos": channel.qos, "retain": channel.retain}
    if channel.life_s:
        mqtt["messageExpiryInterval"] = channel.life_s
    return {
        "action": _action(channel),
        "channel": {"$ref": f"#/channels/{channel.id}"},
        "summary": channel.text,
        "messages": [{"$ref": f"#/channels/{channel.id}/messages/{channel.schema}"}],
        "bindings": {"mqtt": mqtt},
    }


def _action(channel: Channel) -> str:
    return "send" if channel.sender == "panel" else "receive"


def _message(name: str) -> dict[str, Any]:
    channel = next(channel for channel in CHANNELS if channel.schema == name)
    schema: dict[str, Any] = {"$ref": f"schemas/{name}.json"}
    made: dict[str, Any] = {"name": name, "title": WIRE[name][0], "contentType": channel.content}
    if not channel.typ:
        return made | {"payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": schema}}
    return made | {
        "payload": {"type": "string", "pattern": _COMPACT, "maxLength": 131_072},
        "description": f"A JWS in compact form, typ {channel.typ}; x-jws-payload is the schema of its content.",
        "x-jws-typ": channel.typ,
        "x-jws-payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": schema},
    }


def text() -> str:
    """The file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(file: Path) -> None:
    """Write the document."""
    file.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    for place in places(sys.argv[1:], __doc__):
        main(place)
