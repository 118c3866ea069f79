"""A panel's folder and a center with its enrolment service, for the tests of this folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.authority import Authority
from hil.broker import HOST
from hil.center.enrolment import EnrolmentDesk
from hil.center.enrolment_commands import desk
from hil.center.enrolment_server import EnrolmentServer
from provisioning.enrolment.commands import main
from tests.provisioning.calling import Done, call

PANEL = "bank-7"
TLS = 'tls = { ca = "keys/center-ca.pem", certificate = "keys/uplink.pem", key = "keys/uplink.key" }'
FILE = f"""
[panel]
id = "{PANEL}"
name = "Bank 7"
pins = "simulated"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[zone]]
id = "front-door"
number = 1
name = "Front door"
type = "entry-exit"
areas = ["hall"]
input = {{ line = 17 }}

[[path]]
id = "center-1"
host = "127.0.0.1"
port = 8883
{TLS}

[center]
# what the center gave us
receipt_keys = ["RECEIPT"]
command_keys = ["COMMAND"]
"""


@dataclass
class Site:
    """`folder` holds the panel file, `center` the center's folder; `url` is its service while it is open."""

    folder: Path
    center: Path
    desk: EnrolmentDesk
    url: str = ""
    server: EnrolmentServer | None = None
    words: list[str] = field(default_factory=list)

    @property
    def panel_toml(self) -> Path:
        return self.folder / "panel.toml"

    @property
    def key(self) -> Path:
        return self.folder / "keys" / "uplink.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "keys" / "uplink.pem"

    @property
    def ca(self) -> Path:
        return self.folder / "keys" / "center-ca.pem"

    def invite(self, hours: float = 24) -> str:
        return self.desk.invite(PANEL, hours)[0]

    def call(self, *words: str, typed: str = "", lang: str = "en") -> Done:
        return call(main, *words, "--config", str(self.panel_toml), typed=typed, lang=lang)

    def enroll(self, code: str, *words: str, lang: str = "en") -> Done:
        return self.call("--center", self.url, "--code-file", "-", *words, typed=f"{code}\n", lang=lang)

    def json(self, *words: str, typed: str = "") -> dict[str, Any]:
        done = self.call(*words, "--json", typed=typed)
        return dict(json.loads(done.stdout))

    def files(self) -> dict[str, bytes]:
        """What lies in the folder of keys."""
        keys = self.folder / "keys"
        return {file.name: file.read_bytes() for file in keys.iterdir()} if keys.exists() else {}


@contextmanager
def site(folder: Path, own_keys: bool = True) -> Iterator[Site]:
    """`own_keys`: the panel file has the center's keys."""
    center, panel = folder / "center", folder / "panel"
    panel.mkdir()
    web = Authority.make(folder / "web", "web ca")
    web.issue("server", [HOST])
    made = desk(center)
    receipt, command = made.told.receipt.x, made.told.command_keys[0]
    text = FILE.replace("RECEIPT", receipt if own_keys else command).replace("COMMAND", command)
    (panel / "panel.toml").write_text(text)
    with EnrolmentServer(made, HOST, 0, web.folder / "server.pem", web.folder / "server.key") as server:
        yield Site(panel, center, made, f"https://{HOST}:{server.port}", server)
