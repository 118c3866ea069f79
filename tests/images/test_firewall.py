"""The image's firewall in the kernel of this machine: whom each user of the panel reaches, in a network of its own.

What the firewall keeps from going out, the kernel refuses to who sends it, so a datagram tells at once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images.root import FILES

OTHERS = 64_000
"""Numbers of the users that Debian's packages make at a build begin here."""
# As the user of the file system, whose number the kernel keeps with the socket and the firewall asks for.
ASK = """
import json, os, socket, subprocess, sys
rules, asked = sys.argv[1], json.loads(sys.argv[2])
for words in ("tuntap add mode tun dev site", "link set site up", "addr add 192.168.8.2/24 dev site",
              "addr add fd00::2/64 dev site nodad", "route add default dev site", "-6 route add default dev site"):
    subprocess.run(["ip", *words.split()], check=True)
subprocess.run(["nft", "-f", rules], check=True)
told = []
for user, address, port in asked:
    os.seteuid(user)
    own = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    os.seteuid(0)
    try:
        own.sendto(b"?", (address, port))
        told.append(True)
    except PermissionError:
        told.append(False)
print(json.dumps(told))
"""
CAMERA_IN_SITE = ("192.168.8.20", "10.0.0.20", "172.16.5.20", "169.254.8.20", "fd00::20")
BEYOND = ("203.0.113.7", "100.64.0.7", "172.32.0.7", "2001:db8::7")
NAME_SERVER, NTP, RTSP = 53, 123, 554


def in_a_network_of_its_own() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("unshare", "ip", "nft")):
        return False
    words = "ip tuntap add mode tun dev site && ip addr add fd00::2/64 dev site && nft add table inet probe"
    return subprocess.run(["unshare", "--net", "sh", "-c", words], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def numbers() -> dict[str, int]:
    """Of each user that the firewall names: our own as the image has them."""
    lines = (FILES / "usr/lib/sysusers.d/fenghuo.conf").read_text().splitlines()
    ours = {line.split()[1]: int(line.split()[2].partition(":")[0]) for line in lines if line.startswith("u ")}
    named = set(re.findall(r'"([a-z-]+)"', (FILES / "etc/nftables.conf").read_text())) - {"lo", "root", *ours}
    return {"root": 0, **ours, **{name: OTHERS + number for number, name in enumerate(sorted(named))}}


@pytest.fixture(scope="module")
def rules(numbers: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's file, with numbers in place of users that are not of this machine."""
    if not in_a_network_of_its_own():
        pytest.skip("needs root, iproute2, nftables, and a kernel with both")
    text = (FILES / "etc/nftables.conf").read_text()
    for name, number in numbers.items():
        text = text.replace(f'"{name}"', str(number))
    path = tmp_path_factory.mktemp("firewall") / "nftables.conf"
    path.write_text(text)
    return path


def reached(rules: Path, *asked: tuple[int, str, int]) -> list[bool]:
    words = ["unshare", "--net", sys.executable, "-c", ASK, str(rules), json.dumps(asked)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told: list[bool] = json.loads(done.stdout)
    return told


def test_the_camera_reaches_network_cameras_in_the_site_and_nothing_beyond(
    rules: Path, numbers: dict[str, int]
) -> None:
    camera = numbers["fenghuo-camera"]
    assert all(reached(rules, *((camera, address, RTSP) for address in CAMERA_IN_SITE)))
    assert not any(reached(rules, *((camera, address, RTSP) for address in BEYOND)))
    assert all(reached(rules, *((camera, address, NAME_SERVER) for address in BEYOND))), "a camera may have a name"


@pytest.mark.parametrize("process", ["core", "clock"])
def test_who_has_no_business_outside_reaches_nobody(process: str, rules: Path, numbers: dict[str, int]) -> None:
    user = numbers[f"fenghuo-{process}"]
    asked = [(user, address, port) for address in (*CAMERA_IN_SITE, *BEYOND) for port in (RTSP, NAME_SERVER, NTP)]
    assert not any(reached(rules, *asked))


def test_the_uplink_reaches_everybody(rules: Path, numbers: dict[str, int]) -> None:
    assert all(reached(rules, *((numbers["fenghuo-uplink"], address, 8883) for address in (*CAMERA_IN_SITE, *BEYOND))))
