"""Panel files that are fine: what is loaded, and the site that the rules get."""

import hashlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.config import BadPanelFile, Loaded, Timings, load, to_site
from firmware.config.defaults import defaults_of
from firmware.config.keys import is_public_key
from rules.site import OutputKind, Place, ZoneType

EXAMPLES = Path("docs/examples")
BANK = (EXAMPLES / "bank.toml").read_text()


def loaded_from(text: str, folder: Path) -> Loaded:
    path = folder / "panel.toml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize("name", ["bank", "school", "warehouse", "jeweller", "depot"])
def test_the_examples_are_fine_and_raise_no_warning(name: str) -> None:
    loaded = load(EXAMPLES / f"{name}.toml")
    assert loaded.warnings == []
    assert len(to_site(loaded.file).zones) == len(loaded.file.zone)


def test_the_bank_has_what_others_build_on() -> None:
    site = to_site(load(EXAMPLES / "bank.toml").file)
    assert list(site.areas) == ["hall", "vault"]
    assert list(site.zones) == [
        "front-door",
        "hall-pir",
        "office-pir",
        "back-door",
        "vault-door",
        "vault-vibration",
        "holdup-1",
        "holdup-2",
        "box-tamper",
        "siren-tamper",
        "key-switch",
        "side-exit",
        "archive-pir",
        "tour-hall",
        "tour-vault",
    ]
    assert site.zones["front-door"].type is ZoneType.ENTRY_EXIT
    assert site.zones["front-door"].cameras == ("lobby",)
    assert {o.kind for o in site.outputs.values()} == set(OutputKind) - {OutputKind.BUZZER, OutputKind.CHIME}
    assert site.outputs["siren-inside"].place is Place.INTERNAL


def test_the_bank_shows_every_timing_with_its_default() -> None:
    data = tomllib.loads(BANK)
    defaults = defaults_of(data)["timings"]
    assert data["timings"].keys() == defaults.keys() == Timings.model_fields.keys()
    assert data["timings"] == defaults


def test_what_is_loaded(tmp_path: Path) -> None:
    loaded = loaded_from(BANK, tmp_path)
    assert loaded.sha256 == hashlib.sha256(BANK.encode()).hexdigest()
    assert (loaded.folder, loaded.data, loaded.run) == (tmp_path, tmp_path / "data", tmp_path / "run")


def test_absolute_storage_stays_absolute(tmp_path: Path) -> None:
    loaded = loaded_from(BANK.replace('run = "run"', 'run = "/run/fenghuo"'), tmp_path)
    assert loaded.run == Path("/run/fenghuo")


def test_seconds_become_milliseconds(tmp_path: Path) -> None:
    text = BANK.replace("siren_s = 300", "siren_s = 120").replace("lockout_s = 90", "lockout_s = 100")
    site = to_site(loaded_from(text, tmp_path).file)
    assert (site.areas["vault"].entry_delay_ms, site.areas["vault"].exit_delay_ms) == (15_000, 30_000)
    assert (site.timings.siren_ms, site.timings.siren_max_ms) == (120_000, 900_000)
    assert (site.timings.code_attempts, site.timings.lockout_ms) == (5, 100_000)


def test_only_sensors_that_warm_up_settle_and_never_hold_up_or_tamper(tmp_path: Path) -> None:
    # A PIR wired as a tamper zone must be trusted from the first moment.
    text = BANK.replace('sensor = "loop"', 'sensor = "pir"', 1).replace('sensor = "button"', 'sensor = "pir"', 1)
    site = to_site(loaded_from(text.replace("settle_s = 60", "settle_s = 45"), tmp_path).file)
    settling = {zone.id: zone.settle_ms for zone in site.zones.values() if zone.settle_ms}
    pirs = ("hall-pir", "office-pir", "archive-pir")
    assert settling == dict.fromkeys((*pirs, "vault-vibration"), 45_000)


def test_what_can_be_bypassed(tmp_path: Path) -> None:
    site = to_site(load(EXAMPLES / "bank.toml").file)
    fixed = {zone.id for zone in site.zones.values() if not zone.bypassable}
    assert fixed == {"vault-door", "holdup-1", "holdup-2", "box-tamper", "siren-tamper"}
    text = BANK.replace('type = "24-hour" ', 'bypassable = true\ntype = "24-hour" ')
    text = text.replace('id = "side-exit"', 'id = "side-exit"\nbypassable = false')
    site = to_site(loaded_from(text, tmp_path).file)
    assert site.zones["vault-door"].bypassable
    assert not site.zones["side-exit"].bypassable


@pytest.mark.parametrize("text", ["\ufeff" + BANK, BANK.replace("\n", "\r\n")])
def test_what_windows_editors_write_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_bytes(text.encode())
    assert load(tmp_path / "panel.toml").file == load(EXAMPLES / "bank.toml").file


SPARE = '[[schedule]]\nid = "spare"\nweekdays = "closed"\nweekend = "closed"\n\n'
WARNINGS = [
    ('kind = "siren"', 'kind = "strobe"', '[[area]] #1 "hall"', "sound nowhere"),
    ("entry_delay_s = 30 ", "entry_delay_s = 0 ", '[[zone]] #1 "front-door": type', "alarms at once"),
    (
        'type = "entry-exit"\nareas = ["hall"]\nfinal_door = true',
        'type = "instant"\nareas = ["hall"]',
        '[[zone]] #2 "hall-pir": type',
        "without an entry-exit zone",
    ),
    ("command_keys = ", "# command_keys = ", "[center] command_keys", "can't send commands"),
    ("line = 22 ", "line = 28 ", '[[zone]] #2 "hall-pir": input.line', "40-pin header"),
    ('cameras = ["lobby"]', "cameras = []", '[[camera]] #1 "lobby"', "nothing asks"),
    ('"53010200491347000001"', '"44010200491347000001"', '[[zone]] #1 "front-door": gb28181_id', "differ from"),
    ('areas = ["vault"]', 'areas = ["hall"]', None, ""),
    ('kind = "alarm"', 'kind = "strobe"', "output", "no lamp shows an alarm until its reset"),
    ("forceable = true ", "soak = true ", '[[zone]] #4 "back-door": soak', "NOT PROTECTED"),
    ("forceable = true ", "supply_cut = true ", '[[zone]] #4 "back-door": supply_cut', "can't tell"),
    ('{ zone = "tour-hall", until_min = 10 },', "", '[[zone]] #14 "tour-hall": type', "on no tour"),
    ("exit_delay_s = 60\n", "exit_delay_s = 0\n", '[[zone]] #1 "front-door": final_door', "no exit delay"),
    ("omits = [", 'omits = ["front-door", ', '[[part]] #1 "cleaners": omits', "no entry-exit zone of this area"),
    (
        '[[schedule]]\nid = "branch"',
        SPARE + '[[schedule]]\nid = "branch"',
        '[[schedule]] #1 "spare"',
        "nothing happens",
    ),
    ('[[schedule]]\nid = "branch"', SPARE + '[[schedule]]\nid = "branch"', '[[schedule]] #1 "spare"', "no area has"),
    (
        "pulses = 3 ",
        'cross_group = "offices"\npulses = 3 ',
        '[[zone]] #6 "vault-vibration": cross_group',
        "nobody who trips this zone",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "said"), WARNINGS)
def test_warnings_refuse_nothing(old: str, new: str, key: str | None, said: str, tmp_path: Path) -> None:
    assert old in BANK
    warnings = loaded_from(BANK.replace(old, new), tmp_path).warnings
    assert [w.key for w in warnings if said in w.text[0]][:1] == ([key] if key else [])
    assert all(w.line for w in warnings)


def test_an_area_without_zones_and_a_panel_that_reports_nothing(tmp_path: Path) -> None:
    text = BANK.replace("[[zone]]", '[[area]]\nid = "attic"\nnumber = 3\nname = "Attic"\n\n[[zone]]', 1)
    text = text[: text.index("[[path]]")] + text[text.index("[timings]") :]
    said = [w.text[0] for w in loaded_from(text, tmp_path).warnings]
    assert said == ["this area has no zones", "nothing is reported"]


def test_special_days_without_a_schedule_change_nothing(tmp_path: Path) -> None:
    text = BANK.replace('schedule = "branch"', "#")
    text = text[: text.index("[[schedule]]\nid")] + text[text.index("[[day]]\n") :]
    said = [w.text[0] for w in loaded_from(text, tmp_path).warnings]
    assert said == ["special days change nothing without a schedule"]


def test_zones_that_sound_nothing_need_no_siren(tmp_path: Path) -> None:
    quiet = "hold-up", "duress", "water", "technical", "checkpoint", "monitor", "keyswitch", "maintained-keyswitch"
    loud = "audible-hold-up", "fire", "gas", "medical", "instant"
    area = '[[area]]\nid = "attic"\nnumber = 3\nname = "Attic"\n\n'
    zone = '[[zone]]\nid = "z"\nnumber = 99\nname = "Z"\ntype = "{}"\nareas = ["attic"]\ninput = {{ line = 2 }}\n\n'
    for kind in (*quiet, *loud):
        text = BANK.replace("[[output]]", area + zone.format(kind) + "[[output]]", 1)
        said = [w.text[0] for w in loaded_from(text, tmp_path).warnings]
        assert ("alarms of this area sound nowhere" in said) == (kind in loud), kind


def test_fast_clocks_with_simulated_pins(tmp_path: Path) -> None:
    text = BANK.replace('pins = "board" ', 'clock_rate = 100\npins = "simulated" ')
    assert loaded_from(text, tmp_path).file.panel.clock_rate == 100


CENTERS_TIME = "\n[clock]\nfrom_center = true\n"


def test_the_clock_may_be_the_centers(tmp_path: Path) -> None:
    assert loaded_from(BANK + CENTERS_TIME, tmp_path).file.clock.from_center
    assert not loaded_from(BANK, tmp_path).file.clock.from_center


def test_a_faster_clock_is_nobodys_time(tmp_path: Path) -> None:
    text = BANK.replace('pins = "board" ', 'clock_rate = 100\npins = "simulated" ')
    with pytest.raises(BadPanelFile) as bad:
        loaded_from(text + CENTERS_TIME, tmp_path)
    (mistake,) = bad.value.mistakes
    assert (mistake.key, mistake.expected[0]) == ("[clock] from_center", "false, or clock_rate = 1")


def test_a_center_that_is_not_reached_over_mqtt_tells_no_time(tmp_path: Path) -> None:
    start, end = BANK.index("[[path]]"), BANK.index("# --- Timings")
    with pytest.raises(BadPanelFile) as bad:
        loaded_from(BANK[:start] + BANK[end:] + CENTERS_TIME, tmp_path)
    assert [m.key for m in bad.value.mistakes] == ["[clock] from_center"]


@given(st.binary(min_size=32, max_size=32))
def test_real_public_keys_are_keys(seed: bytes) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert is_public_key(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


@pytest.mark.parametrize(
    "raw",
    [
        bytes(32),  # order 4
        (1).to_bytes(32, "little"),  # the neutral element: any signature by it can be forged
        (2**255 - 20).to_bytes(32, "little"),  # order 2
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),  # order 8
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # order 8
        (2**255 - 19 + 3).to_bytes(32, "little"),  # y not below p
        (2).to_bytes(32, "little"),  # no point has this y
    ],
)
def test_points_that_are_no_keys(raw: bytes) -> None:
    import base64

    assert not is_public_key(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


@pytest.mark.parametrize("x", ["", "A", "=" * 43, "44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDZ", "é" * 43])
def test_texts_that_are_no_keys(x: str) -> None:
    assert not is_public_key(x)
