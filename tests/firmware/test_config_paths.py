"""Several paths in a panel file: defaults, and the warning about a loss that is told too late."""

from pathlib import Path

import pytest

from firmware.config import BadPanelFile, Center, Loaded, MqttPath, load, to_site, warnings
from firmware.uplink.routing import Terms
from firmware.uplink.setup import terms_of

BANK = Path("docs/examples/bank.toml").read_text()
SECOND = """
[[path]]
id = "center-2"
host = "alarm-2.example.org"
tls = { ca = "keys/center-ca.pem", certificate = "keys/uplink.pem", key = "keys/uplink.key" }

[center]
"""
BANK = BANK.replace("[center]\n", SECOND, 1)
LATE = "2 × keepalive_s + path_fault_s at most 90 s"


def loaded(folder: Path, old: str = "", new: str = "") -> Loaded:
    assert old in BANK
    (folder / "panel.toml").write_text(BANK.replace(old, new, 1) if old else BANK)
    return load(folder / "panel.toml")


def late(file: Loaded) -> list[str]:
    return [warning.found for warning in file.warnings if warning.expected[0] == LATE]


def test_the_bank_has_two_centers_and_each_counts_for_all_paths_down(tmp_path: Path) -> None:
    file = loaded(tmp_path)
    assert to_site(file.file).paths == ("center-1", "center-2")
    assert terms_of(file) == Terms(escalate_ms=30_000, failover_ms=10_000, alarms_on_all=False)
    assert late(file) == []


def test_what_the_center_table_says_of_the_paths(tmp_path: Path) -> None:
    file = loaded(tmp_path, 'alarm_paths = "first"', 'alarm_paths = "all"')
    assert terms_of(file) == Terms(escalate_ms=30_000, failover_ms=10_000, alarms_on_all=True)


@pytest.mark.parametrize(("more", "found"), [("path_fault_s = 67", ["91", "91"]), ("path_fault_s = 66", [])])
def test_a_loss_that_is_told_later_than_dp4_is_warned_of(tmp_path: Path, more: str, found: list[str]) -> None:
    assert late(loaded(tmp_path, "path_fault_s = 60 ", f"{more} ")) == found


def test_a_slow_keepalive_too(tmp_path: Path) -> None:
    assert late(loaded(tmp_path, "keepalive_s = 12", "keepalive_s = 40")) == ["140"]


def test_the_warning_knows_the_defaults() -> None:
    assert MqttPath.model_fields["keepalive_s"].default == warnings.KEEPALIVE_S
    assert Center.model_fields["path_fault_s"].default == warnings.PATH_FAULT_S


def test_pictures_are_put_only_where_the_certificate_can_be_checked(tmp_path: Path) -> None:
    hosts = '[center]\npicture_hosts = ["pictures.example.org", "10.0.0.7:8443"]\n'
    with pytest.raises(BadPanelFile, match="picture_ca"):
        loaded(tmp_path, "[center]\n", hosts)
    with pytest.raises(BadPanelFile, match="picture_hosts"):
        loaded(tmp_path, "[center]\n", hosts.replace("pictures.", "https://pictures."))
    center = loaded(tmp_path, "[center]\n", f'{hosts}picture_ca = "keys/pictures.pem"\n').file.center
    assert center is not None
    assert center.picture_hosts == ["pictures.example.org", "10.0.0.7:8443"]
