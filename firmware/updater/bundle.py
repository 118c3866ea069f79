"""What a bundle says of itself, and whether this panel may take it. Free of I/O.

`rauc info` has verified the signature before anything here is believed. What RAUC has no name for (the floor, the
format of the data) is one line of JSON in the manifest's `description`, which every version of RAUC tells.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firmware.language import Text
from firmware.protocol.updates import VERSION_PATTERN

MAX_INFO = 256 * 1024
"""Bytes of what `rauc info` tells."""
SLOT = "rootfs"

REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "source-unreadable": ("nothing can be read there", "无法读取"),
        "source-none": ("no stick with a bundle (*.raucb) is plugged in", "未插入含更新包 (*.raucb) 的 U 盘"),
        "signature": ("not signed by whom this panel trusts", "签名不受本机信任"),
        "broken": ("no bundle, or a damaged one", "不是更新包或已损坏"),
        "foreign": ("a bundle for other hardware", "更新包不适用于本机硬件"),
        "below-floor": ("older than this panel may go back to", "版本低于本机允许的最低版本"),
        "same": ("this very software runs already", "该软件已在运行"),
        "data-unreadable": ("it can't read this panel's data", "该版本无法读取本机数据"),
        "no-way-back": (
            "what it writes can't be read by the software of now: --no-way-back takes that upon you",
            "其写入的数据现用软件无法读取：使用 --no-way-back 表示承担",
        ),
        "other": ("no longer the bundle that was consented to", "已不是所同意的更新包"),
        "write": ("the other slot could not be written", "无法写入备用系统分区"),
        "switch": ("the other slot could not be made the one that starts", "无法切换启动分区"),
        "withdrawn": ("withdrawn", "已撤回"),
        "lapsed": ("the consents did not come in time", "未及时取得同意"),
        "no-slot": ("this system has no second slot", "本系统没有第二分区"),
        "empty-slot": ("nothing that is known of is in the other slot", "备用分区中没有已知软件"),
    }
)
"""Why an update ended before the other slot was started, in words."""


class NotTaken(Exception):
    """`args[0]` is one of `REASONS`; `detail` is for the log and the record."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _More(BaseModel):
    """The line in `description`. A later version may say more: that is passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    floor: str = Field(pattern=VERSION_PATTERN)
    data: int = Field(ge=1, le=10_000, description="the format of the data that it writes")
    reads: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1, max_length=100)
    note_en: str = Field(default="", max_length=200)
    note_zh: str = Field(default="", max_length=200)


class Manifest(BaseModel):
    """A bundle whose signature is verified. `sha256`: of the slot's image, which is all that it brings."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    version: str = Field(pattern=VERSION_PATTERN)
    compatible: str = Field(max_length=64)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    floor: str = Field(pattern=VERSION_PATTERN)
    data: int = Field(ge=1, le=10_000)
    reads: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(max_length=100)
    note_en: str = Field(default="", max_length=200)
    note_zh: str = Field(default="", max_length=200)


@dataclass(frozen=True)
class Ours:
    """What a bundle is held against. `floor`: the lowest version that this panel takes; `data`, `reads`: formats of
    the data that the software of now writes and reads; `sha256`: of the image that runs, empty where not known."""

    compatible: str
    floor: str
    data: int
    reads: tuple[int, ...]
    sha256: str = ""


def read_info(raw: bytes) -> Manifest:
    """From the output of `rauc info --output-format=json`. Raises `NotTaken`."""
    if len(raw) > MAX_INFO:
        raise NotTaken("broken", f"{len(raw)} bytes of information, expected at most {MAX_INFO}")
    try:
        told = json.loads(raw)
        images = [image[SLOT] for image in told["images"] if SLOT in image]
        if len(told["images"]) != 1 or len(images) != 1:
            raise NotTaken("broken", f"images: found {len(told['images'])}, expected one for {SLOT}")
        more = _More.model_validate_json(told["description"] or "")
        return Manifest(
            version=told["version"],
            compatible=told["compatible"],
            sha256=images[0]["checksum"],
            **more.model_dump(),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "description"
        raise NotTaken("broken", f"{place}: {first['msg']}"[:200]) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotTaken("broken", f"{type(error).__name__}: {error}"[:200]) from None


def description(floor: str, data: int, reads: tuple[int, ...], note_en: str = "", note_zh: str = "") -> str:
    """The line for a manifest's `description`. Raises `ValueError`."""
    more = _More(floor=floor, data=data, reads=list(reads), note_en=note_en, note_zh=note_zh)
    return json.dumps(more.model_dump(exclude_defaults=True), separators=(",", ":"), ensure_ascii=True)


def fits(manifest: Manifest, ours: Ours, no_way_back: bool) -> None:
    """Whether this panel may take it. Raises `NotTaken` with the first reason why not."""
    if manifest.compatible != ours.compatible:
        raise NotTaken("foreign", f"for {manifest.compatible}, this is {ours.compatible}"[:200])
    if older(manifest.version, ours.floor):
        raise NotTaken("below-floor", f"{manifest.version}, expected {ours.floor} or newer")
    if manifest.sha256 == ours.sha256:
        raise NotTaken("same", manifest.version)
    if ours.data not in manifest.reads:
        raise NotTaken("data-unreadable", f"it reads {_listed(manifest.reads)}, the data is of format {ours.data}")
    if manifest.data not in ours.reads and not no_way_back:
        raise NotTaken("no-way-back", f"format {manifest.data}. {manifest.note_en}".strip()[:200])


def older(one: str, other: str) -> bool:
    """Whether a version is older than another. `1.2.0-rc1` comes before `1.2.0`."""
    return _rank(one) < _rank(other)


def newest(one: str, other: str) -> str:
    """The newer of two versions: a floor never goes down."""
    return other if older(one, other) else one


_PARTS = re.compile(VERSION_PATTERN)


def _rank(version: str) -> tuple[Any, ...]:
    """Raises `ValueError` for what is no version."""
    if not _PARTS.match(version):
        raise ValueError(f"version: found {version[:40]!r}, expected N.N.N or N.N.N-NAME")
    numbers, _, rest = version.partition("-")
    named = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in rest.split(".")) if rest else ()
    return tuple(int(part) for part in numbers.split(".")), not rest, named


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:20]))
