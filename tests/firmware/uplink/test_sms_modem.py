"""The life of a modem: set up, unlocked, watched and given messages; and every fault that the rig can play."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.uplink.sms import modem as w
from firmware.uplink.sms import pdu
from hil.modem import FAILED, Sim
from tests.firmware.uplink.modem_bench import Bench, PaperPin

NUMBER = "+8613800138000"


def ready(bench: Bench | None = None) -> Bench:
    made = bench or Bench()
    made.run(10_000)
    assert made.modem.free, (made.heard, made.far.commands)
    return made


def test_it_is_set_up_and_sends_a_long_text_whose_reports_come() -> None:
    bench = ready()
    assert bench.of(w.Figures) == [w.Figures(-73, "home", "CHINA MOBILE")]
    assert bench.fault("modem") == bench.fault("network") == bench.fault("sim") == ""
    text = "柜台紧急按钮报警" * 20
    bench.send(*pdu.submit(NUMBER, text, 9))
    assert not bench.modem.free
    bench.run(1_000)
    assert bench.far.texts() == [(NUMBER, text)]
    assert bench.of(w.Accepted) == [w.Accepted("k", (1, 2, 3))]
    assert [r for r in bench.heard if isinstance(r, pdu.Report)] == [pdu.Report(n, NUMBER, 0) for n in (1, 2, 3)]
    assert bench.modem.free


def test_reports_that_the_modem_only_stores_are_fetched_and_removed() -> None:
    bench = Bench()
    bench.far.faults.stored_reports = True
    ready(bench)
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(2_000)
    assert bench.of(pdu.Report) == [pdu.Report(1, NUMBER, 0)]
    assert "AT+CMGD=1" in bench.far.commands


def test_a_prompt_left_open_by_an_uplink_that_was_killed() -> None:
    bench = Bench(start=False)
    bench.far.take(b"AT+CMGS=20\r0011")
    bench._open_at = bench.now_ms
    ready(bench)


def test_silence_is_told_and_ended_by_resets_with_growing_pauses() -> None:
    bench = Bench()
    bench.far.faults.silent = True
    bench.run(400_000)
    assert bench.fault("modem") == "the modem does not answer"
    pauses = [output.pause_ms for output in bench.heard if isinstance(output, w.Reopen)]
    assert pauses[:5] == [5_000, 10_000, 20_000, 40_000, 80_000]
    assert bench.far.resets == len(pauses) - 1
    bench.far.faults.silent = False
    bench.run(400_000)
    assert bench.modem.free
    assert bench.fault("modem") == ""


def test_a_modem_that_falls_silent_while_it_sends() -> None:
    bench = ready()
    bench.far.faults.silent = True
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(20_000)
    assert [o.reason for o in bench.heard if isinstance(o, w.Rejected)] == ["no answer to the message"]
    assert bench.fault("modem") == "no answer to AT+CMGS"
    bench.far.faults.silent = False
    bench.run(30_000)
    assert bench.modem.free
    assert bench.fault("modem") == ""


def test_answers_that_come_late_are_nobody_elses() -> None:
    bench = ready()
    bench.far.faults.late_s = 5.5
    bench.run(31_000)
    bench.far.signal = 3
    bench.far.faults.late_s = 0.0
    bench.run(60_000)
    assert "signal -107 dBm" in bench.fault("signal")
    assert bench.modem.free
    bench.far.faults.late_s = 12.0
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(11_000)
    bench.far.faults.late_s = 0.0
    bench.run(60_000)
    assert bench.of(w.Rejected)
    assert bench.far.texts() == [], "the text must not go out as a command, nor half"
    assert ready(bench)


def test_noise_and_half_lines() -> None:
    bench = Bench()
    bench.far.faults.noise = b"\xff\x00\x7e^RSSI: 3\r\n\r\nRING\r\n"
    ready(bench)
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(5_000)
    assert bench.far.texts() == [(NUMBER, "hi")]
    bench.far.faults.cut = 3
    bench.run(200_000)
    assert bench.fault("modem")
    bench.far.faults.cut = 0
    bench.run(200_000)
    assert bench.modem.free


def test_a_flood_is_not_listened_to() -> None:
    bench = ready()
    for _ in range(30):
        bench.far.say(b"\r\n^RSSI: 17\r\n" * 800)
    bench.run(100)
    assert "floods" in bench.fault("modem")
    assert bench.of(w.Reopen)
    ready(bench)


def test_no_network_keeps_messages_back_and_resets_at_last() -> None:
    bench = ready()
    bench.far.network = 3
    bench.far.say(b"\r\n+CREG: 3\r\n")
    bench.run(6_000)
    assert bench.fault("network") == "the network refuses this SIM"
    assert not bench.modem.free
    bench.far.network = 2
    bench.run(w.HELPLESS_MS + 60_000)
    assert bench.far.resets == 1
    assert bench.fault("modem") == "", "the fault that is told is the network's"
    bench.far.network = 5
    bench.run(60_000)
    assert bench.fault("network") == ""
    assert bench.of(w.Figures)[-1] == w.Figures(-73, "roaming", "CHINA MOBILE")
    assert bench.modem.free


def test_signal_with_hysteresis() -> None:
    bench = ready()
    bench.far.signal = 4
    bench.run(31_000)
    assert bench.fault("signal") == "signal -105 dBm, expected -103 or more"
    assert bench.modem.free, "it is tried all the same"
    bench.far.signal = 6
    bench.run(31_000)
    assert bench.fault("signal"), "2 dB more is not enough to call it well"
    bench.far.signal = 7
    bench.run(31_000)
    assert bench.fault("signal") == ""
    bench.far.signal = 99
    bench.run(31_000)
    assert bench.fault("signal") == ""


def test_a_sim_that_is_taken_out_and_put_back() -> None:
    bench = ready()
    sim, bench.far.sim = bench.far.sim, None
    bench.run(31_000)
    assert bench.fault("sim") == "there is no SIM"
    assert not bench.modem.free
    bench.far.sim = sim
    bench.run(40_000)
    assert bench.fault("sim") == ""
    assert bench.modem.free


def test_a_sim_without_service_center() -> None:
    bench = Bench(Sim(service_center=""))
    bench.run(10_000)
    assert "service center" in bench.fault("sim")
    assert bench.far.sim is not None
    bench.far.sim.service_center = "+8613800100500"
    bench.run(31_000)
    assert bench.fault("sim") == ""


def test_the_right_pin_is_given_once() -> None:
    bench = ready(Bench(Sim(pin="1234"), PaperPin("1234")))
    assert bench.pin.story == ["took 1234", "accepted"]
    assert bench.far.sim is not None
    assert bench.far.sim.tried == ["1234"]


def test_a_wrong_pin_is_told_and_not_given_again() -> None:
    bench = Bench(Sim(pin="1234"), PaperPin("9999"))
    bench.run(100_000)
    assert bench.far.sim is not None
    assert bench.far.sim.tried == ["9999"]
    assert bench.pin.story == ["took 9999", "refused"]
    assert bench.fault("sim") == "no pin_file"
    faults = [output.detail for output in bench.of(w.Fault) if isinstance(output, w.Fault)]
    assert "the PIN in its file is wrong; it is not tried again" in faults
    bench.pin.digits = "1234"
    bench.run(40_000)
    assert bench.modem.free
    assert bench.far.sim.tried == ["9999", "1234"]


@pytest.mark.parametrize("left", [1, 0])
def test_the_last_try_is_left_to_a_person(left: int) -> None:
    bench = Bench(Sim(pin="1234", tries_left=left), PaperPin("1234"))
    bench.run(60_000)
    assert bench.far.sim is not None
    assert bench.far.sim.tried == []
    assert "in a phone" in bench.fault("sim")


def test_what_the_network_refuses() -> None:
    bench = ready()
    bench.far.faults.cms_errors = deque([38, 1])
    for final in (False, True):
        bench.send(*pdu.submit(NUMBER, "hi", 9))
        bench.run(1_000)
        last = bench.of(w.Rejected)[-1]
        assert isinstance(last, w.Rejected)
        assert last.final is final
    bench.far.faults.report = FAILED
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(1_000)
    assert bench.of(pdu.Report) == [pdu.Report(1, NUMBER, FAILED)]


def test_the_second_part_fails() -> None:
    bench = ready()
    parts = pdu.submit(NUMBER, "x" * 200, 9)
    bench.send(parts[0])
    bench.run(1_000)
    bench.far.faults.cms_errors = deque([42])
    bench.heard.clear()
    bench.send(*parts)
    bench.run(1_000)
    assert bench.of(w.Rejected) == [w.Rejected("k", "the modem or network said +CMS ERROR: 42", 0)]


def test_a_modem_that_starts_anew_by_itself_is_set_up_again() -> None:
    bench = ready()
    before = bench.far.commands.count("AT+CMGF=0")
    bench.far._reset()
    bench.run(10_000)
    assert bench.far.commands.count("AT+CMGF=0") == before + 1
    assert bench.modem.free


def test_no_prompt() -> None:
    bench = ready()
    bench.far.faults.no_prompt = True
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.run(20_000)
    assert bench.of(w.Rejected)
    bench.far.faults.no_prompt = False
    assert ready(bench)


def test_a_port_that_is_lost_takes_its_message_back() -> None:
    bench = ready()
    bench.far.faults.late_s = 5.0
    bench.send(*pdu.submit(NUMBER, "hi", 9))
    bench.do(bench.modem.lost("gone", bench.now_ms))
    assert bench.of(w.Rejected) == [w.Rejected("k", "gone")]
    assert bench.fault("modem") == "gone"
    assert bench.modem.next_deadline() is None
    assert bench.modem.received(b"\r\nOK\r\n", bench.now_ms) == []


WORDS = b"""OK|ERROR|> |+CDS: 25|+CDSI: "SM",4|+CPIN: SIM PIN|+CPIN: READY|RDY|+CSQ: 9,9|+CREG: 0,1|+CME ERROR: 10
+CMS ERROR: 38|+CMGS: 5|+CMGR: 0,,9|+CPINR: ,|+COPS:|:|+CME ERROR: 16|+CREG: 1|+CSCA: """
lines = st.sampled_from(WORDS.replace(b"\n", b"|").split(b"|"))


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 70_000), lines.map(lambda x: x + b"\r\n") | st.binary(max_size=40))))
def test_no_talk_upsets_it_and_no_pin_is_given_twice(talk: list[tuple[int, bytes]]) -> None:
    pin = PaperPin("1234")
    modem = w.Modem(pin, -103)
    now = 1_000
    modem.opened(now)
    for wait, data in talk:
        now += wait
        outputs = modem.received(data, now) + modem.tick(now)
        if modem.free:
            outputs += modem.send(w.Job("k", tuple(pdu.submit(NUMBER, "hi", 1))), now)
        if any(isinstance(output, w.Reopen) for output in outputs):
            modem.opened(now)
        deadline = modem.next_deadline()
        assert deadline is None or deadline < now + 700_000
    story = [word for word in pin.story if word.startswith("took")]
    assert len(story) <= 1 + pin.story.count("accepted") + pin.story.count("untried")
