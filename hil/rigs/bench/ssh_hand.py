"""The rig's hand in a real panel: the machine rig's guest agent, carried there by SSH and gone with the connection.

Nothing is installed: SSH starts the panel's Python with the agent's source in its words, and its standard streams are
the agent's port.
"""

import base64
import inspect
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hil.rigs.machine import guest_agent
from hil.rigs.machine.agent import AgentError, GuestAgent
from hil.rigs.protocol import RigFault

OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "LogLevel=ERROR")
_STREAMS = """
import tty

def _pump(source, sink):
    while data := os.read(source, 65536):
        while data:
            data = data[os.write(sink, data):]
    os._exit(0)

ours, theirs = os.openpty()
tty.setraw(theirs)
for source, sink in ((0, ours), (ours, 1)):
    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()
Agent(os.ttyname(theirs)).serve()
"""


class SshHand:
    """A connection. `agent` does the acts."""

    def __init__(
        self, target: str, options: Sequence[str], python: str = "/usr/bin/python3", meet_s: float = 30
    ) -> None:
        """`target`: user@host. Raises `RigFault` where nobody answers there."""
        with tempfile.TemporaryDirectory(prefix="fh-ssh-") as folder, socket.socket(socket.AF_UNIX) as door:
            place = Path(folder) / "agent"
            door.bind(str(place))
            door.listen(1)
            self.agent = GuestAgent(place)
            end, _ = door.accept()
        with end:
            words = ["ssh", *OPTIONS, *options, "--", target, f"exec {python} -c {_code()}"]
            self._ssh = subprocess.Popen(words, stdin=end.fileno(), stdout=end.fileno(), stderr=subprocess.PIPE)
        try:
            self.agent.meet(meet_s)
        except AgentError as error:
            self._ssh.kill()
            said = self._ssh.communicate()[1].decode(errors="replace").strip()
            raise RigFault(f"{target} by SSH: {said or error}") from None

    def close(self) -> None:
        """Hang up; the agent ends with it."""
        self.agent.close()
        self._ssh.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._ssh.wait(5)
        self._ssh.kill()
        self._ssh.wait(5)
        if self._ssh.stderr is not None:
            self._ssh.stderr.close()


def _code() -> str:
    """One word for a shell; base64 needs no quotes inside."""
    source = inspect.getsource(guest_agent).partition('if __name__ == "__main__":')[0] + _STREAMS
    packed = base64.b64encode(source.encode()).decode()
    return f'\'import base64;exec(compile(base64.b64decode("{packed}"),"agent","exec"))\''
