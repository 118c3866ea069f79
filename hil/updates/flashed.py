"""A card that `fenghuo flash` wrote: the site's file and the one-time code are on it, nothing else is done by hand."""

import json
import subprocess
import sys
from pathlib import Path

from hil.authority import Authority
from hil.broker import free_port
from hil.center.enrolment_commands import desk
from hil.center.enrolment_server import EnrolmentServer
from hil.rigs.machine.qemu import HOST_SEEN_FROM_GUEST, Forward
from hil.updates.board import PANEL, UpdateBoard

ENROLMENT_PORT = 8443
FLASH_S = 300
_FLASH = "import sys; from provisioning.flash.commands import main; sys.exit(main(sys.argv[1:]))"


class FlashedBoard(UpdateBoard):
    """Its center has a desk for new panels, which is closed until `open_desk`."""

    def __init__(self, img: Path, folder: Path, keys: Path) -> None:
        """`keys`: where the release's public key lies."""
        self._keys = keys
        self._desk_port = free_port()
        super().__init__(img, folder, [Forward(ENROLMENT_PORT, self._desk_port)])

    def open_desk(self) -> EnrolmentServer:
        """A context manager: the service at which the panel asks for its certificate."""
        return EnrolmentServer(self._desk, "127.0.0.1", self._desk_port, *self._web)

    def admitted(self) -> bool:
        """Whether the center has admitted the panel; from then on it knows its key."""
        file = self.folder / "far" / "center" / "panels" / f"{PANEL}.jwk"
        if file.exists():
            self.x = json.loads(file.read_text())["x"]
        return self.x is not None

    def _card(self, img: Path) -> Path:
        far = self.folder / "far"
        self.far.keep_keys()
        self._desk = desk(far / "center", far / "ca")
        web = Authority.make(far / "web", "web")
        web.issue("server", [HOST_SEEN_FROM_GUEST])
        self._web = far / "web" / "server.pem", far / "web" / "server.key"
        site, enrol, card = self.folder / "panel.toml", self.folder / "enrol.json", self.folder / "card.img"
        site.write_text(self.toml)
        told = {
            "center": f"https://{HOST_SEEN_FROM_GUEST}:{ENROLMENT_PORT}",
            "code": self._desk.invite(PANEL)[0],
            "ca": (far / "web" / "ca.pem").read_text(),
        }
        enrol.write_text(json.dumps(told))
        words = ["--config", str(site), "--enrol", str(enrol), "--key", str(self._keys / "release.jwk")]
        subprocess.run(
            [sys.executable, "-c", _FLASH, str(img), str(card), *words, "--force", "--yes", "--json"],
            check=True,
            capture_output=True,
            timeout=FLASH_S,
        )
        enrol.unlink()
        return card
