"""`fenghuo site check` as a person runs it: exit codes, every mistake, the wiring table."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from firmware.config import Output, Wire, Zone
from firmware.language import Text
from provisioning import site
from provisioning.site_words import WORDS
from provisioning.wiring_table import HEADER
from tests.firmware.test_config_loops import SMALL
from tests.provisioning.calling import Done, call

EXAMPLES = Path("docs/examples")
BANK = (EXAMPLES / "bank.toml").read_text()


def check(*words: str, lang: str = "en") -> Done:
    return call(site.main, "check", *words, lang=lang)


@pytest.mark.parametrize(("name", "code"), [("bank.toml", 0), ("nowhere.toml", 2)])
def test_the_exit_code_of_the_process(name: str, code: int) -> None:
    argv = [sys.executable, "-m", "firmware.cli", "site", "check", str(EXAMPLES / name)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=25, check=False)
    assert done.returncode == code
    assert name in done.stdout


def row(text: str, id_: str) -> str:
    """The line of the table that begins a zone or an output, and the one below it."""
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if f" {id_} " in line)
    return lines[at] + lines[at + 1]


@pytest.mark.parametrize("name", ["bank", "school", "warehouse"])
def test_a_fine_file_prints_its_wiring(name: str) -> None:
    done = check(str(EXAMPLES / f"{name}.toml"))
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    assert f"{name}.toml is fine" in done.stdout
    assert "warning" not in done.stdout


def test_the_wiring_table_tells_what_an_installer_needs() -> None:
    out = check(str(EXAMPLES / "bank.toml")).stdout
    door = row(out, "front-door")
    told = ("1", "entry-exit", "closed leg GPIO17 (pin 11)", "open leg GPIO27 (pin 13)", "changeover", "300 ms", "hall")
    for word in (*told, "53010200491347000001", "正门"):
        assert word in door
    tamper = row(out, "box-tamper")
    assert "hall" in tamper
    assert "vault" in tamper
    siren = row(out, "siren-outside")
    for word in ("siren outside", "GPIO20 (pin 38)", "on while high", "53010200491357000001"):
        assert word in siren
    for word in ("mains present", "GPIO4 (pin 7)", "camera lobby", "alarm.example.org:8883, TLS"):
        assert word in out


def test_a_receiver_of_dc09_is_told_with_its_account_and_how_it_is_encrypted() -> None:
    out = check(str(EXAMPLES / "jeweller.toml")).stdout
    assert "192.0.2.21:12000, SIA DC-09, account 4711, AES" in " ".join(out.split())


def test_types_attributes_part_sets_schedules_and_tours_are_told() -> None:
    lines = check(str(EXAMPLES / "bank.toml")).stdout.splitlines()
    text = "\n".join(lines)
    for words in (
        ("profile cn",),
        ("hall", "30 s", "60 s", "branch"),
        ("final door",),
        ("cross group offices",),
        ("forced arming",),
        ("3 pulses in 30 s",),
        ("side-exit", "day"),
        ("tour-vault", "checkpoint"),
        ("vault-light", "relay"),
        ("follows alarm:vault",),
        ("cleaners", "hall", "hall-pir"),
        ("time zone Asia/Shanghai",),
        ("branch", "Mon–Fri 08:00-18:00", "15 min: reported"),
        ("Sat 09:00-16:30", "60 min: arms itself"),
        ("Sun closed",),
        ("2026-10-01 – 2026-10-07", "closed"),
        ("22:30 02:30", "tour-vault: 5 to 20 min"),
    ):
        assert any(all(word in line for word in words) for line in lines), (words, text)


def test_every_attribute_is_told_in_both_languages(tmp_path: Path) -> None:
    text = BANK.replace(
        'id = "back-door"',
        """id = "back-door"
soak = true
chime = true
bypassable = true
double_knock = true
pulse_window_s = 4
swinger_trips = 0
abort = false
report_restore = false
detector = "d-1"
supply_cut = true""",
    )
    text = text.replace('place = "external"\n', 'place = "external"\ndelay_s = 20\nlimit_s = 90\n')
    text = text.replace("final_door = true ", "entry_delay_s = 20 ")
    text = text.replace('follows = "alarm:vault"', 'follows = "event:trouble.mains"\npulse_s = 7')
    (tmp_path / "site.toml").write_text(text)
    said = {lang: check(str(tmp_path / "site.toml"), lang=lang).stdout for lang in ("en", "zh")}
    told: list[Text] = [
        ("ON TRIAL: never alarms", "试用：永不报警"),
        ("chime", "门铃"),
        ("bypassable", "可旁路"),
        ("double knock, 4 s", "双击计数，4 秒"),
        ("never rests", "永不停用"),
        ("reported at once", "立即上报"),
        ("its end is not reported", "不报恢复"),
        ("detector d-1", "探测器 d-1"),
        ("alarms when its supply is cut", "断电报警"),
        ("entry delay 20 s", "进入延时 20 秒"),
        ("after 20 s", "延时 20 秒"),
        ("at most 90 s", "至多 90 秒"),
        ("follows", "跟随"),
        ("for 7 s", "持续 7 秒"),
        ("warning: ", "警告："),
        ("NOT PROTECTED", "未受保护"),
    ]
    for en, zh in told:
        assert en in said["en"]
        assert zh in said["zh"]


def test_every_word_that_a_file_may_hold_has_its_text() -> None:
    models = (Zone, Wire, Output)
    for name in ("type", "sensor", "wiring", "kind", "place", "active"):
        for model in models:
            if field := model.model_fields.get(name):
                assert set(get_args(field.annotation)) <= WORDS.keys()
    assert all(en and zh and en != zh for en, zh in WORDS.values())


def test_in_chinese() -> None:
    out = check(str(EXAMPLES / "warehouse.toml"), lang="zh").stdout
    for word in ("防区", "出入口", "转换触点", "低电平动作", "明文", "检查通过"):
        assert word in out


def test_plain_text_stands_out() -> None:
    assert "192.0.2.10:1883, PLAIN TEXT" in check(str(EXAMPLES / "warehouse.toml")).stdout


def test_mistakes_exit_2_all_at_once(tmp_path: Path) -> None:
    text = BANK.replace("line = 22 ", "line = 23 ").replace('type = "follower"', 'type = "follow"')
    (tmp_path / "site.toml").write_text(text.replace("siren_s = 300", "siren_s = 1"))
    done = check(str(tmp_path / "site.toml"))
    assert done.returncode == 2
    assert "site.toml: 3 to correct" in done.stdout
    for said in (
        '"hall-pir": type: not one',
        '"office-pir": input.line: this GPIO line is used twice',
        "siren_s: outside the limits of profile cn (EN 50131-1)",
    ):
        assert said in done.stdout
    assert done.stdout.count("expected: ") == 3
    assert "处需要更正" in check(str(tmp_path / "site.toml"), lang="zh").stdout


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_files_that_are_none_exit_2(name: str, tmp_path: Path) -> None:
    done = check(str(tmp_path / name))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr + done.stdout


def test_warnings_are_shown_and_exit_0(tmp_path: Path) -> None:
    text = BANK.replace("entry_delay_s = 30 ", "entry_delay_s = 0 ")
    (tmp_path / "site.toml").write_text(text)
    line = 1 + text[: text.index('type = "entry-exit"')].count("\n")
    done = check(str(tmp_path / "site.toml"))
    assert done.returncode == 0
    assert f'warning: site.toml:{line}: [[zone]] #1 "front-door": type: an entry-exit zone without' in done.stdout


def test_json_of_a_fine_file() -> None:
    report = json.loads(check(str(EXAMPLES / "bank.toml"), "--json").stdout)
    assert (report["ok"], report["mistakes"], report["warnings"]) == (True, [], [])
    assert report["zone"][0]["input"] == {"line": 17, "wiring": "changeover", "line_no": 27, "debounce_ms": 300}
    assert len(report["zone"]) == 15
    assert report["timings"]["mains_report_delay_s"] == 600
    assert report["schedule"][0]["saturday"] == "09:00-16:30"
    assert [day["date"] for day in report["day"]] == ["2026-10-01", "2026-10-10"]
    assert (report["part"][0]["id"], report["tour"][0]["stops"][1]["zone"]) == ("cleaners", "tour-vault")


def test_json_of_mistakes(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BANK.replace("line = 22 ", "line = 23 "))
    done = check(str(tmp_path / "site.toml"), "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["more"]) == (2, False, 0)
    (mistake,) = report["mistakes"]
    assert (mistake["key"], mistake["found"]) == ('[[zone]] #3 "office-pir": input.line', "23")
    assert mistake["text"] == {"en": "this GPIO line is used twice", "zh": "GPIO 线重复使用"}


def test_names_with_brackets_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BANK.replace("Front door 正门", "[red]Door[/red] [/nope]"))
    done = check(str(tmp_path / "site.toml"))
    assert done.returncode == 0
    assert "[red]Door[/red] [/nope]" in done.stdout


def test_simulated_pins_have_no_header(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BANK.replace('pins = "board"', 'pins = "simulated"'))
    out = check(str(tmp_path / "site.toml")).stdout
    assert "GPIO17" in out
    assert "(pin" not in out


def test_words_that_are_not_understood_exit_2() -> None:
    assert check().returncode == 2
    assert check("a", "b").returncode == 2


def test_the_header_has_each_gpio_pin_once() -> None:
    power_and_ground = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    identity = {27, 28}
    assert set(HEADER.values()) == set(range(1, 41)) - power_and_ground - identity
    assert (HEADER[17], HEADER[27], HEADER[21], HEADER[4]) == (11, 13, 40, 7)


def test_a_loop_is_shown_with_its_channel_and_what_each_resistance_means(
    tmp_path: Path,
) -> None:
    (tmp_path / "panel.toml").write_text(SMALL)
    shown = check(str(tmp_path / "panel.toml")).stdout
    for word in ("adc-1 channel 7", "triple resistors", "3200 Ω active", "4900 Ω masked", "7100 Ω fault", "∞ Ω cut"):
        assert word in shown
    assert "MCP3008, SPI0 CE0, 2200 Ω to each channel" in shown
