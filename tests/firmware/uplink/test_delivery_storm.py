"""The delivery logic under a network that does its worst: in the end the center holds everything, once."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.uplink import events as e
from tests.firmware.uplink.world import World

LANES = ("alarm", "status", "evidence")

step = st.one_of(
    st.tuples(st.just("record"), st.integers(0, 2), st.integers(1, 90)),
    st.tuples(st.just("up"), st.integers(0, 30), st.sampled_from(["fine", "lost", "twice", "no-ack"])),
    st.tuples(st.just("down"), st.integers(0, 30), st.sampled_from(["fine", "lost", "twice"])),
    st.tuples(st.just("core"), st.integers(1, 8)),
    st.tuples(st.just("wait"), st.integers(1, 40_000)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("open")),
    st.tuples(st.just("refuse-publish"), st.integers(0, 30)),
    st.tuples(st.just("uplink-dies")),
    st.tuples(st.just("core-dies")),
    st.tuples(st.just("new-journal")),
    st.tuples(st.just("silent"), st.booleans()),
    st.tuples(st.just("junk"), st.binary(max_size=40)),
)


def _play(world: World, what: tuple[Any, ...]) -> None:
    match what:
        case ("record", lane, count):
            for _ in range(count):
                world.record(LANES[lane])
        case ("up", index, fate) if world.up_wire:
            world.carry_up(index % len(world.up_wire), lose=fate == "lost", again=fate == "twice", ack=fate != "no-ack")
        case ("down", index, fate) if world.down_wire:
            world.carry_down(index % len(world.down_wire), lose=fate == "lost", again=fate == "twice")
        case ("core", count):
            for _ in range(min(count, len(world.to_uplink))):
                world.feed(world.to_uplink.popleft())
        case ("wait", ms):
            world.pass_ms(ms)
        case ("cut",) if world.delivery.phase in ("open", "connecting"):
            world.close_network()
        case ("open",) if world.delivery.phase == "connecting":
            world.connected = True
            world.feed(e.Opened("2026-03-14T23:09:26.123Z"))
        case ("refuse-publish", index) if world.up_wire:
            publish = world.up_wire[index % len(world.up_wire)]
            world.up_wire.remove(publish)
            world.feed(e.Acked(publish.token, "Quota exceeded"))
        case ("uplink-dies",):
            world.restart_uplink()
        case ("core-dies",):
            world.stop_core()
            world.session += 1
            world.start_core()
        case ("new-journal",) if len(world.journal.heads()) < 6:
            world.journal.begin()
        case ("silent", silent):
            world.center.silent = silent
        case ("junk", payload):
            world.feed(e.Received("receipt", payload))


def _recover(world: World) -> None:
    """From now on everything works."""
    world.center.silent = False
    for _ in range(400):
        world.settle()
        if world.complete() and world.journal.undelivered() == 0:
            return
        world.to_deadline()
        if world.delivery.phase == "connecting":
            world.connected = True
            world.feed(e.Opened("2026-03-14T23:09:26.123Z"))
    raise AssertionError(f"{world.journal.undelivered()} records are still not delivered")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(step, max_size=60), st.integers(0, 9))
def test_in_the_end_the_center_holds_everything_once(steps: list[tuple[Any, ...]], seed: int) -> None:
    world = World(seed, window=100)
    world.start_core()
    for what in steps:
        _play(world, what)
        assert world.delivery.unreceipted() <= 3 * 6 * (100 + 64)
        assert world.most_unacked <= 64
    _recover(world)
    by_lane: dict[tuple[str, str], set[int]] = {}
    for record in world.center.held.values():
        by_lane.setdefault((record.header.journal, record.header.lane), set()).add(record.header.lane_seq)
    for numbers in by_lane.values():
        assert numbers == set(range(1, max(numbers) + 1)), "the order of a lane can be told from its numbers"
    assert world.refusals == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 0.4))
def test_a_lossy_line_loses_nothing(seed: int, loss: float) -> None:
    world = World(seed, window=64)
    for _ in range(150):
        world.record("status")
    world.start_core()
    world.open()
    for _ in range(3_000):
        if world.complete() and world.journal.undelivered() == 0:
            break
        world.settle_core()
        if world.up_wire:
            world.carry_up(world.random.randrange(len(world.up_wire)), lose=world.random.random() < loss)
        elif world.down_wire:
            world.carry_down(world.random.randrange(len(world.down_wire)), lose=world.random.random() < loss)
        elif world.delivery.phase == "connecting":
            world.connected = True
            world.feed(e.Opened("2026-03-14T23:09:26.123Z"))
        else:
            world.to_deadline()
    assert world.complete()
    assert world.journal.undelivered() == 0
