"""The units of the image: sandboxes scored by systemd's own measure, users, and what each process may touch."""

import configparser
import re
import shutil
import subprocess
from ipaddress import ip_network

import pytest

from drivers.cameras.address import SITE
from images.root import FILES, UNITS
from images.settings import read

PROCESSES = ("core", "uplink", "camera", "clock")
MOST = 2.0


def unit(name: str) -> dict[str, list[tuple[str, str]]]:
    """Sections with their assignments in order; a unit file may set a key many times."""
    found: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] = []
    for line in (UNITS / name).read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.append((key, value))
    return found


def values(name: str, key: str) -> list[str]:
    return [value for section in unit(name).values() for k, value in section if k == key]


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_is_exposed_by_at_most_2(process: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze (systemd)")
    words = ["systemd-analyze", "security", "--offline=yes", str(UNITS / f"fenghuo-{process}.service")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    score = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
    assert score, done.stdout + done.stderr
    assert float(score[1]) <= MOST, done.stdout


def test_each_process_has_a_user_of_its_own_and_no_right_but_the_clock() -> None:
    users = [values(f"fenghuo-{process}.service", "User") for process in PROCESSES]
    assert users == [[f"fenghuo-{process}"] for process in PROCESSES]
    bounding = {p: values(f"fenghuo-{p}.service", "CapabilityBoundingSet") for p in PROCESSES}
    assert bounding == {"core": [""], "uplink": [""], "camera": [""], "clock": ["CAP_SYS_TIME"]}


def test_core_has_no_network_and_its_own_devices_alone() -> None:
    assert values("fenghuo-core.service", "PrivateNetwork") == ["yes"]
    assert values("fenghuo-core.service", "RestrictAddressFamilies") == ["AF_UNIX"]
    assert values("fenghuo-core.service", "DevicePolicy") == ["closed"]
    kinds = {value.split()[0] for value in values("fenghuo-core.service", "DeviceAllow")}
    assert kinds == {f"char-{k}" for k in ("gpiochip", "spi", "i2c", "ttyS", "ttyAMA", "ttyUSB", "ttyACM")}


def test_the_uplink_has_no_devices_and_sees_no_key_of_core() -> None:
    assert values("fenghuo-uplink.service", "PrivateDevices") == ["yes"]
    assert values("fenghuo-uplink.service", "DeviceAllow") == []
    hidden = values("fenghuo-uplink.service", "InaccessiblePaths")[0].split()
    assert "-/data/fenghuo/data/keys" in hidden


def test_the_camera_has_the_devices_of_cameras_and_they_are_known_before_it_starts() -> None:
    """A device rule that names a driver which the kernel does not know yet is left out, and stays so.

    /dev/video* and /dev/v4l-subdev* are video4linux; dma_heap is part of a vendor's kernel.
    """
    assert values("fenghuo-camera.service", "DevicePolicy") == ["closed"]
    kinds = {value.split()[0].removeprefix("char-") for value in values("fenghuo-camera.service", "DeviceAllow")}
    assert kinds == {"video4linux", "media", "dma_heap"}
    rules = (FILES / "etc/udev/rules.d/70-fenghuo.rules").read_text()
    for kind in kinds:
        assert re.search(rf'^SUBSYSTEM=="{kind}", GROUP="fenghuo-camera", MODE="0660"$', rules, re.MULTILINE)
    assert values("fenghuo-camera.service", "SupplementaryGroups") == ["fenghuo-camera"]
    loaded = (FILES / "usr/lib/modules-load.d/fenghuo.conf").read_text().split()
    assert {"videodev", "mc"} <= set(loaded)


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_is_watched_and_never_given_up(process: str) -> None:
    name = f"fenghuo-{process}.service"
    assert values(name, "WatchdogSec")
    assert values(name, "Restart") == ["always"]
    assert values(name, "StartLimitIntervalSec") == ["0"]


def test_a_restart_of_core_starts_nobody_else() -> None:
    """What a unit wants is started with it, and what it comes after is waited for: with the siren silent."""
    for key in ("Wants", "Requires", "BindsTo", "Requisite"):
        assert not [name for value in values("fenghuo-core.service", key) for name in value.split()], key
    assert "fenghuo-site.service" in awaited("fenghuo-core.service")
    assert values("fenghuo-site.service", "WantedBy") == values("fenghuo-core.service", "WantedBy")


def test_a_boot_waits_for_no_enrolment() -> None:
    """A oneshot that multi-user.target wants holds that target up until it ends: a day, without a network."""
    assert values("fenghuo-enroll.service", "Type") == ["exec"]


def awaited(name: str) -> set[str]:
    """The units of ours whose start this one's start waits for, by any way."""
    before = {file.name for file in UNITS.iterdir() if name in " ".join(values(file.name, "Before")).split()}
    here = {other for value in values(name, "After") for other in value.split() if (UNITS / other).exists()}
    return here.union(before, *(awaited(other) for other in here | before))


def test_who_judges_new_software_does_not_wait_for_it() -> None:
    """Core's start ends when its inputs are live: with a core that hangs, 240 s later, and so again and again."""
    assert {"fenghuo-core.service", "fenghuo-site.service"} <= awaited("fenghuo-uplink.service")
    for judge in ("fenghuo-updater.service", "fenghuo-trial-deadline.timer", "fenghuo-trial-deadline.service"):
        assert awaited(judge) <= {"fenghuo-data.service"}, judge


def test_the_hardware_watchdog_is_behind_them() -> None:
    config = configparser.ConfigParser()
    config.read(FILES / "etc/systemd/system.conf.d/fenghuo.conf")
    assert int(config["Manager"]["RuntimeWatchdogSec"].removesuffix("s")) <= 15  # what a Pi's watchdog can count


@pytest.mark.parametrize("file", sorted(path.name for path in UNITS.iterdir()))
def test_what_a_unit_starts_is_in_the_image(file: str) -> None:
    for command in [value for key in ("ExecStart", "ExecStartPre", "ExecCondition") for value in values(file, key)]:
        assert command.lstrip("-").startswith(("/opt/fenghuo/bin/", "/usr/bin/", "/bin/"))


def test_nobody_logs_in_at_a_console_and_with_a_key_only_by_ssh() -> None:
    masked = set(read().masked)
    assert {"getty@.service", "serial-getty@.service", "emergency.service", "rescue.service"} <= masked
    sshd = dict(
        line.split(None, 1)
        for line in (FILES / "etc/ssh/sshd_config").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert sshd["PasswordAuthentication"] == sshd["KbdInteractiveAuthentication"] == sshd["UsePAM"] == "no"
    assert sshd["AuthenticationMethods"] == "publickey"
    condition = (FILES / "usr/lib/systemd/system/ssh.service.d/fenghuo.conf").read_text()
    assert "ConditionPathExists=/data/ssh/authorized_keys" in condition


def test_the_firewall_lets_nothing_through_that_is_not_named() -> None:
    text = (FILES / "etc/nftables.conf").read_text()
    for chain in ("input", "forward", "output"):
        assert re.search(rf"hook {chain} priority filter; policy drop;", text)


def test_the_camera_reaches_the_sites_own_network_by_firewall_and_unit_as_the_panel_file_is_told() -> None:
    text = (FILES / "etc/nftables.conf").read_text()
    lines = re.findall(r'^ *meta skuid "fenghuo-camera" ip6? daddr \{ (.+) \} accept$', text, re.MULTILINE)
    by_firewall = {ip_network(word) for line in lines for word in line.split(", ")}
    allowed = values("fenghuo-camera.service", "IPAddressAllow")[0].split()
    by_unit = {ip_network(word) for word in allowed if word not in ("localhost", "link-local")}
    assert values("fenghuo-camera.service", "IPAddressDeny") == ["any"]
    assert by_firewall == set(SITE)
    assert by_unit | {network for network in SITE if network.is_link_local} == set(SITE)


def test_users_have_fixed_numbers_since_the_data_outlives_the_root() -> None:
    lines = (FILES / "usr/lib/sysusers.d/fenghuo.conf").read_text().splitlines()
    numbers = {line.split()[1]: line.split()[2].split(":")[0] for line in lines if line.startswith(("u ", "g "))}
    assert all(number.isdecimal() for number in numbers.values())
    assert {numbers[f"fenghuo-{process}"] for process in PROCESSES} == {"901", "902", "903", "904"}
