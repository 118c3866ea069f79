"""Whether a [[camera]] is whole: a source that its maker understands, no password in the file, no idle keys.

A password that stands in the address is told without showing it.
"""

from collections.abc import Callable, Iterator

from drivers.cameras.address import host_of, is_outside
from firmware.config.findings import wrong
from firmware.config.hours import CLOSED, are_hours
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row
from firmware.language import Text

# What a message calls a source that must not be shown.
_HIDDEN = "rtsp://…@…"
_LIVE = ("picamera2", "v4l2", "rtsp")
PRE_S, POST_S, FRAMES_PER_S = 10, 20, 2
"""What verifying an alarm takes: two pictures a second, from 10 s before it to 20 s after (issue 6; the defaults)."""


def _source(document: Document) -> Iterator[Finding]:
    for camera in document.rows("camera"):
        maker, source = camera.text("maker"), camera.text("source")
        if maker == "folder" and not source:
            yield wrong(
                camera,
                "source",
                ("a folder of pictures, or one picture", "图片文件夹或一个图片文件"),
                ('maker = "folder" needs a source', 'maker = "folder" 需要 source'),
            )
        if maker == "v4l2" and not source.startswith("/dev/"):
            yield wrong(
                camera,
                "source",
                ("a name under /dev/v4l/by-id", "/dev/v4l/by-id 下的名称"),
                ("a USB camera is named by its device", "USB 摄像机须以设备名指定"),
            )
        if maker == "rtsp" and not host_of(source):
            yield from _address(camera, source)


def _address(camera: Row, source: str) -> Iterator[Finding]:
    if "@" in source:
        yield Finding(
            camera.at("source"),
            _HIDDEN,
            ("the address alone; user:password in a secret_file", "仅写地址；用户名:密码 写入 secret_file"),
            ("a password must not stand in the panel file", "密码不得写入配置文件"),
        )
        return
    yield wrong(
        camera,
        "source",
        ("rtsp://HOST:PORT/PATH", "rtsp://主机:端口/路径"),
        ("not the address of an RTSP stream", "不是 RTSP 流地址"),
    )


def _still(document: Document) -> Iterator[Finding]:
    for camera in document.rows("camera"):
        for key, size, default in (("still_width", "width", 640), ("still_height", "height", 480)):
            still, least = camera.number(key, 0) or 0, camera.number(size, default) or 0
            other = camera.number("still_height" if key == "still_width" else "still_width", 0)
            if still < least and (still or other):
                yield wrong(
                    camera,
                    key,
                    (f"at least {size} ({least}), or neither", f"不小于 {size}({least})，或两者均不设"),
                    ("full pictures are larger than the frames", "全幅图像应大于预录图像"),
                )
        if camera.text("maker") == "drawn" and camera.number("still_width", 0):
            yield wrong(
                camera, "still_width", ("none", "无"), ("a drawing has no larger picture", "绘制场景无更大图像")
            )
        # picamera2 gives the small frames beside the full ones as YUV420, in whole blocks.
        uneven = (camera.number("width", 640) or 0) % 2 or (camera.number("height", 480) or 0) % 4
        if camera.text("maker") == "picamera2" and camera.number("still_width", 0) and uneven:
            yield wrong(
                camera,
                "height",
                ("an even width, and a height that is a multiple of 4", "宽度为偶数，高度为 4 的倍数"),
                ("the camera can't give such frames beside full pictures", "该摄像机无法同时输出此尺寸与全幅图像"),
            )


def _means_nothing(document: Document) -> Iterator[Finding]:
    """Keys that only one maker has."""
    for camera in document.rows("camera"):
        maker = camera.text("maker")
        for key, owner in (("secret_file", "rtsp"), ("exposure", "picamera2"), ("day_hours", "picamera2")):
            if camera.has(key) and maker in (*_LIVE, "folder", "drawn") and maker != owner:
                yield wrong(
                    camera,
                    key,
                    (f'no {key}, or maker = "{owner}"', f'删除 {key}，或 maker = "{owner}"'),
                    (f'only maker = "{owner}" has it', f'仅 maker = "{owner}" 使用'),
                )


def _hours(document: Document) -> Iterator[Finding]:
    expected: Text = ("day_hours as 07:00-18:30", "day_hours，如 07:00-18:30")
    for camera in document.rows("camera"):
        scheduled = camera.text("exposure") == "schedule"
        hours = camera.text("day_hours")
        if scheduled and not camera.has("day_hours"):
            yield wrong(camera, "day_hours", expected, ("a schedule needs the hours of day", "schedule 需要白天时段"))
        elif hours and (not are_hours(hours) or hours == CLOSED):
            yield wrong(camera, "day_hours", expected, ("not hours of one day", "不是一天内的时段"))
        elif hours and not scheduled and camera.text("maker") == "picamera2":
            yield wrong(
                camera,
                "day_hours",
                ('none, or exposure = "schedule"', '删除，或 exposure = "schedule"'),
                ("only a schedule has hours", "仅 schedule 使用时段"),
            )


def seldom_meant(document: Document) -> Iterator[Finding]:
    """Warnings: what a panel takes, and a technician should know."""
    for camera in document.rows("camera"):
        source = camera.text("source")
        if camera.text("maker") == "v4l2" and not source.startswith("/dev/v4l/"):
            yield Finding(
                camera.at("source"),
                show(source),
                ("a name under /dev/v4l/by-id", "/dev/v4l/by-id 下的名称"),
                ("after the next start another camera may have this name", "重启后此名称可能指向其他摄像机"),
            )
        if camera.text("maker") == "rtsp" and is_outside(host_of(source)):
            yield Finding(
                camera.at("source"),
                show(source),
                ("10.*, 172.16.* to 172.31.*, 192.168.*", "10.*、172.16.* 至 172.31.*、192.168.*"),
                (
                    "the panel's firewall lets cameras be reached in the site's own network alone",
                    "主机防火墙只允许访问现场内网的摄像机",
                ),
            )
        for key, least in (("pre_s", PRE_S), ("post_s", POST_S), ("frames_per_s", FRAMES_PER_S)):
            found = camera.number(key, least)
            if found is not None and found < least and camera.text("maker") in _LIVE:
                yield Finding(
                    camera.at(key),
                    show(found),
                    (f"at least {least}", f"至少 {least}"),
                    ("too few pictures to verify an alarm by", "图像过少，不足以复核报警"),
                )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_source, _still, _means_nothing, _hours)
