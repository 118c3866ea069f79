"""The network of a life: late, out of step, twice, lost, cut; and nothing of an old connection on a new one."""

from collections import Counter
from random import Random

from hil.life.network import FAST_MS, KEEPALIVE_MS, SLOW_MS, Crossing, Network

LONGEST_MS = SLOW_MS[1]


def network(seed: int = 1) -> Network:
    made = Network(Random(seed))
    made.connect()
    return made


def arrived(net: Network, until: int) -> list[tuple[int, Crossing]]:
    """What arrives until then, with its moment, asked for only when something is due."""
    found = []
    while (due := net.next_work()) is not None and due <= until:
        found += [(due, crossing) for crossing in net.arrivals(due)]
    return found


def test_what_is_sent_arrives_late_and_some_of_it_out_of_step_twice_or_never() -> None:
    net = network()
    for n in range(5_000):
        net.send("publish", n, n * 10)
    found = arrived(net, 5_000 * 10 + LONGEST_MS)
    times = Counter(crossing.body for _, crossing in found)
    assert {times[n] for n in range(5_000)} == {0, 1, 2}
    assert 0 < 5_000 - len(times) < 20, "few are lost"
    assert [crossing.body for _, crossing in found] != sorted(crossing.body for _, crossing in found)
    late = [at - crossing.body * 10 for at, crossing in found]
    assert FAST_MS[0] <= min(late)
    assert FAST_MS[1] < max(late) <= LONGEST_MS
    assert net.next_work() is None


def test_a_greeting_always_arrives_once() -> None:
    net = network()
    for n in range(3_000):
        net.send("hello", n, 0, sure=True)
    assert sorted(crossing.body for _, crossing in arrived(net, LONGEST_MS)) == list(range(3_000))


def test_what_is_under_way_freezes_while_the_link_is_cut() -> None:
    net = network()
    net.send("publish", "before", 0, sure=True)
    net.link(False, 0)
    net.send("publish", "after", 1, sure=True)
    assert [c.what for _, c in arrived(net, KEEPALIVE_MS - 1)] == []
    net.link(True, KEEPALIVE_MS - 1)
    bodies = {c.body for _, c in arrived(net, KEEPALIVE_MS + LONGEST_MS) if c.what == "publish"}
    assert bodies == {"before", "after"}


def test_a_cut_connection_is_looked_at_after_its_keepalive() -> None:
    net = network()
    net.link(False, 1_000)
    assert [(at, c.what) for at, c in arrived(net, 10**6)] == [(1_000 + KEEPALIVE_MS, "keepalive")]


def test_nothing_of_an_old_connection_arrives_on_a_new_one() -> None:
    net = network()
    net.send("publish", "old", 0, sure=True)
    net.link(False, 0)
    assert arrived(net, LONGEST_MS) == []
    net.close()
    net.connect()
    net.link(True, LONGEST_MS)
    net.send("publish", "new", LONGEST_MS, sure=True)
    assert [c.body for _, c in arrived(net, 10**6) if c.what == "publish"] == ["new"]


def test_what_happens_on_one_side_needs_no_link() -> None:
    net = network()
    net.link(False, 0)
    net.close()
    net.later("store", "kept", 500)
    assert [(at, c.body) for at, c in arrived(net, 1_000)] == [(500, "kept")]


def test_the_same_seed_gives_the_same_network() -> None:
    def run(seed: int) -> list[tuple[int, Crossing]]:
        net = network(seed)
        for n in range(500):
            net.send("publish", n, n)
        return arrived(net, 10**6)

    assert run(1) == run(1)
    assert run(1) != run(2)
