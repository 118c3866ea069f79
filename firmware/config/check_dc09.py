"""Whether paths by SIA DC-09 fit: encrypted or admittedly plain, and what an acknowledgement is worth without MQTT."""

from collections.abc import Callable, Iterator

from firmware.config.findings import wrong
from firmware.config.mistakes import Finding
from firmware.config.rows import Document, Row

SENTENCE = "I accept that an acknowledgement of DC-09 is not signed"


def is_dc09(path: Row) -> bool:
    """Whether this path is a receiver of DC-09."""
    return path.text("kind", "mqtt") == "dc09"


def _paths(document: Document) -> list[Row]:
    return [path for path in document.rows("path") if is_dc09(path)]


def _alone(document: Document) -> Iterator[Finding]:
    """Without a path that brings signed receipts nothing would ever be delivered."""
    receipts = any(path.text("kind", "mqtt") == "mqtt" for path in document.rows("path"))
    paths = _paths(document)
    if paths and not receipts and not any(path.has("acknowledgement") for path in paths):
        yield wrong(
            paths[0],
            "acknowledgement",
            (
                f'acknowledgement = "{SENTENCE}", or a [[path]] with kind = "mqtt" besides',
                f'acknowledgement = "{SENTENCE}"，或另有 kind = "mqtt" 的 [[path]]',
            ),
            (
                "DC-09 brings no signed receipt: it delivers alone only where the file accepts that",
                "DC-09 无签名回执：仅在文件明确接受时才能单独使用",
            ),
        )


def _keys(document: Document) -> Iterator[Finding]:
    for path in _paths(document):
        if path.has("key_file") and path.has("plaintext"):
            yield wrong(
                path,
                "plaintext",
                ("key_file or plaintext, not both", "key_file 与 plaintext 二选一"),
                ("a path is either encrypted or plain", "路径只能加密或明文之一"),
            )
        if path.has("key_encoding") and not path.has("key_file"):
            yield wrong(
                path,
                "key_encoding",
                ("key_file besides, or no key_encoding", "同时给出 key_file，或删除 key_encoding"),
                ("there is no key to encode", "没有可编码的密钥"),
            )


def _hosts(document: Document) -> Iterator[Finding]:
    for path in _paths(document):
        if path.has("backup_port") and not path.has("backup_host"):
            yield wrong(
                path,
                "backup_port",
                ("backup_host besides, or no backup_port", "同时给出 backup_host，或删除 backup_port"),
                ("a port of no receiver", "没有对应的接收机"),
            )


def _blocks(document: Document) -> Iterator[Finding]:
    for path in _paths(document):
        if path.text("mac") and path.text("x_data", "one") != "all":
            yield wrong(
                path,
                "mac",
                ('no mac, or x_data = "all"', '删除 mac，或 x_data = "all"'),
                ("there is no room for it in one block", "单个数据块中放不下"),
            )
        if path.on("text") and path.text("format", "adm-cid") != "sia-dcs":
            yield wrong(
                path,
                "text",
                ('no text, or format = "sia-dcs"', '删除 text，或 format = "sia-dcs"'),
                ("Contact ID has no room for names", "Contact ID 中无法包含名称"),
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_alone, _keys, _hosts, _blocks)
