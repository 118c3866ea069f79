"""Whether the ways to the center fit together: encrypted or admittedly plain, receipted, SMS behind a better one."""

from collections.abc import Callable, Iterator

from firmware.config.check_dc09 import is_dc09
from firmware.config.findings import twice, wrong
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row

PLAINTEXT = "I accept that anyone on the network can read and drop reports"
MAX_NUMBERS = 4


def is_sms(path: Row) -> bool:
    """Whether this path is a GSM modem."""
    return path.text("kind", "mqtt") == "sms"


def _encrypted(document: Document) -> Iterator[Finding]:
    for path in document.rows("path"):
        if is_sms(path):
            continue
        if path.has("tls") and path.has("plaintext"):
            yield Finding(
                path.at("plaintext"),
                show(path.values["plaintext"]),
                ("tls or plaintext, not both", "tls 与 plaintext 二选一"),
                ("a path is either encrypted or plain", "路径只能加密或明文之一"),
            )
        elif not path.has("tls") and not path.has("plaintext") and not (is_dc09(path) and path.has("key_file")):
            yield Finding(
                path.at("tls"),
                "",
                (
                    f'tls = {{ ca, certificate, key }}, or plaintext = "{PLAINTEXT}"',
                    f'tls = {{ ca, certificate, key }}，或 plaintext = "{PLAINTEXT}"',
                ),
                ("a path needs TLS, or the sentence that accepts plain text", "路径需要 TLS，或明文许可语句"),
            )


def _center(document: Document) -> Iterator[Finding]:
    # Nobody signs a receipt where all go by DC-09.
    if any(not is_dc09(path) for path in document.rows("path")) and not document.data.get("center"):
        yield Finding(
            ("center",),
            "",
            ("[center] with receipt_keys", "含 receipt_keys 的 [center]"),
            ("a path needs a center whose receipts count", "有路径就必须指定接警中心的公钥"),
        )


def _sms(document: Document) -> Iterator[Finding]:
    paths = document.rows("path")
    modems = [path for path in paths if is_sms(path)]
    for path in modems[1:]:
        yield wrong(
            path,
            "kind",
            ("at most one path by SMS", "至多一个短信路径"),
            ("the panel drives one modem", "主机只驱动一个短信模块"),
        )
    if modems and len(modems) == len(paths):
        yield wrong(
            modems[0],
            "kind",
            ('a [[path]] with kind = "mqtt" besides', '另有一个 kind = "mqtt" 的 [[path]]'),
            (
                "an SMS is a last resort and no receipt: it can't be the only path",
                "短信仅为最后手段且无回执，不能是唯一路径",
            ),
        )
    for path in modems:
        yield from _numbers(path)


def _numbers(path: Row) -> Iterator[Finding]:
    numbers = path.texts("numbers") + path.texts("other_numbers")
    yield from twice(numbers, ("each number only once", "每个号码只列一次"), ("listed twice", "重复列出"))
    if len(numbers) > MAX_NUMBERS:
        yield Finding(
            path.at("other_numbers"),
            show(len(numbers)),
            (f"at most {MAX_NUMBERS} numbers in all", f"号码合计至多 {MAX_NUMBERS} 个"),
            ("too many receivers", "接收号码过多"),
        )


def _pictures(document: Document) -> Iterator[Finding]:
    center = document.table("center")
    if center.values.get("picture_hosts") and not center.has("picture_ca"):
        yield wrong(
            center,
            "picture_ca",
            ("a file with the CA of picture_hosts", "picture_hosts 的 CA 证书文件"),
            ("a picture is only put where the certificate can be checked", "仅向可校验证书的主机上传图像"),
        )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_encrypted, _center, _sms, _pictures)
