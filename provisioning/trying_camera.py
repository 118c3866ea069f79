"""Pictures that a technician asks for: from the records of a test to figures for a person.

Light and sharpness are measured on the file itself, by the same measure as the camera process watches with.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.language import Text, pick

DARK, BRIGHT_SHARE = 20.0, 0.5
"""Mean grey below which, share of burnt-out pixels above which a picture shows nobody (`firmware.camera.sight`)."""
FIRST_S = 30.0
"""The first pictures of an order come within a second; a camera that was unplugged is tried for half a minute."""

_LINE: Text = (
    "{camera}: {width}x{height}, {bytes} bytes, {ms} ms after the order; brightness {mean} of 255, sharpness {sharp};"
    " {verdict} ({score}/1000)",
    "{camera}：{width}x{height}，{bytes} 字节，命令后 {ms} 毫秒；亮度 {mean}/255，清晰度 {sharp}；"
    "{verdict}（{score}/1000）",
)
_UNMEASURED: Text = ("not measured", "未测量")
_FILE: Text = ("  file: {file}", "  文件：{file}")
_VERDICTS: Mapping[str, Text] = {"person": ("a person", "有人员"), "unverified": ("nobody recognised", "未识别到人员")}
_BLACK: Text = ("  the picture is black: light, or the lens is covered", "  画面全黑：请检查光照或镜头遮挡")
_BURNT: Text = ("  the picture is burnt out: a light shines into the lens", "  画面过曝：有强光直射镜头")
_NONE: Text = ("{camera}: no picture within {seconds:.0f} s", "{camera}：{seconds:.0f} 秒内无图像")
_FAULT: Text = ("{camera}: {fault}", "{camera}：{fault}")


@dataclass(frozen=True)
class Shot:
    """What a camera gave. `figures` for a program, `lines` for a person."""

    ok: bool
    figures: Mapping[str, Any]
    lines: tuple[str, ...]


def shot(
    camera: str, incident: int, evidence: Path, records: Callable[[], list[Mapping[str, Any]]], since: float
) -> Shot:
    """Wait for the first pictures of this incident. `records`: the next ones; `since`: monotonic, when it was ordered.

    Raises what `records` raises.
    """
    while time.monotonic() - since < FIRST_S:
        for record in records():
            payload = record["payload"]
            if record["header"]["kind"] != "evidence.pictures" or payload.get("incident") != incident:
                continue
            if payload["pictures"]:
                return _told(camera, payload, evidence)
            if payload.get("fault"):
                fault = str(payload["fault"])
                return Shot(False, {"fault": fault}, (pick(_FAULT, camera=camera, fault=fault),))
        time.sleep(0.1)
    return Shot(False, {"fault": "none"}, (pick(_NONE, camera=camera, seconds=FIRST_S),))


def _told(camera: str, payload: Mapping[str, Any], evidence: Path) -> Shot:
    # The one nearest to the order: those before it come from the ring.
    picture = min(payload["pictures"], key=lambda each: (each["offset_ms"] < 0, abs(each["offset_ms"])))
    file = evidence / picture["file"]
    figures: dict[str, Any] = {
        "width": picture["width"],
        "height": picture["height"],
        "bytes": picture["bytes"],
        "taken_ms": picture["offset_ms"],
        "verdict": payload["verdict"],
        "score": payload["score"],
        "model": payload["model"],
        "file": str(file),
        **_measured(file),
    }
    verdict = pick(_VERDICTS[payload["verdict"]])
    mean, sharp = (figures.get(name, pick(_UNMEASURED)) for name in ("brightness", "sharpness"))
    numbers = {"bytes": picture["bytes"], "ms": picture["offset_ms"], "mean": mean, "sharp": sharp}
    line = pick(
        _LINE,
        camera=camera,
        width=picture["width"],
        height=picture["height"],
        verdict=verdict,
        score=payload["score"],
        **numbers,
    )
    wrong = [
        pick(text)
        for text, so in (
            (_BLACK, figures.get("brightness", 255) < DARK),
            (_BURNT, figures.get("burnt", 0) > BRIGHT_SHARE),
        )
        if so
    ]
    return Shot(not wrong, figures, (line, pick(_FILE, file=file), *wrong))


def _measured(file: Path) -> dict[str, Any]:
    """Nothing where the file can't be read: it is another user's, or the model's packages are not here."""
    try:
        import numpy as np
        from PIL import Image

        from firmware.camera.sight import see

        with Image.open(file) as image:
            found = see(np.asarray(image.convert("RGB"), np.uint8))
    except (ImportError, OSError, ValueError):
        return {}
    return {
        "brightness": round(found.mean),
        "burnt": round(found.burnt, 3),
        "sharpness": round(found.sharpness, 2),
    }
