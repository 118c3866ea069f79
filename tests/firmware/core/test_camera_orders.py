"""Orders for pictures: given once, given again when who had them is gone, answered by the first manifest, bounded."""

from firmware.core.camera_orders import KEPT_ORDERS, ORDER_LIFE_S, CameraOrders
from firmware.protocol.messages import CaptureOrder


def order(incident: int, *cameras: str) -> CaptureOrder:
    return CaptureOrder(
        incident=incident,
        kind="alarm.intruder",
        zone="door",
        cameras=list(cameras or ("lobby",)),
        time="2026-03-14T23:09:26.123Z",
        monotonic_ms=1,
    )


def taken(orders: CameraOrders) -> list[tuple[int, list[str]]]:
    return [(order.incident, order.cameras) for order in orders.take()]


def test_each_is_given_once_and_again_when_nobody_is_there_any_more() -> None:
    orders = CameraOrders()
    orders.add(order(1))
    assert taken(orders) == [(1, ["lobby"])]
    assert taken(orders) == []
    orders.add(order(2, "lobby", "vault"))
    assert taken(orders) == [(2, ["lobby", "vault"])]
    orders.answered(1, "lobby")
    orders.answered(2, "vault")
    orders.answered(2, "yard")
    orders.lost()
    assert taken(orders) == [(2, ["lobby"])]
    assert orders.dropped == 0


def test_what_is_old_is_not_given_and_counted_where_nobody_got_it() -> None:
    now = [1000.0]
    orders = CameraOrders(lambda: now[0])
    orders.add(order(1))
    orders.take()
    orders.lost()
    orders.add(order(2))
    now[0] += ORDER_LIFE_S + 1
    orders.add(order(3))
    assert taken(orders) == [(3, ["lobby"])]
    assert orders.dropped == 2


def test_they_are_bounded() -> None:
    orders = CameraOrders()
    for incident in range(1, KEPT_ORDERS + 4):
        orders.add(order(incident))
    assert [incident for incident, _ in taken(orders)] == list(range(4, KEPT_ORDERS + 4))
    assert orders.dropped == 3
