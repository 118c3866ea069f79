"""The model of a path by SIA DC-09: `[[path]]` with `kind = "dc09"` (docs/alarm-center.md, "DC-09")."""

from typing import Annotated, Literal

from pydantic import Field

from firmware.config.base import FilePath, Host, Id, Model, Tls

ACCOUNT = r"^[0-9A-F]{3,16}$"
RECEIVER = r"^[0-9A-F]{0,6}$"
LINE = r"^[0-9A-F]{1,6}$"
MAC = r"^([0-9A-F]{12})?$"


class Dc09Path(Model):
    """`[[path]]` with `kind = "dc09"`: alarms and status to a receiver of SIA DC-09 over TCP (digest §4).

    `account`, `receiver`, `line`: as the center gives them, hex. `key_file`: the AES key alone, mode 0600, in
    `key_encoding`. `backup_host`: the center's second receiver. One try takes `retry_s`; after `tries` of them the
    other receiver has its turn. `x_data`: how many blocks besides the event; some receivers take one only. `text`: zone
    names too (SIA). `users`: numbers of users, id → number. `acknowledgement`: this sentence lets an
    acknowledgement deliver a record.
    """

    id: Id
    kind: Literal["dc09"]
    host: Host
    port: int = Field(ge=1, le=65535)
    backup_host: Host | None = None
    backup_port: int | None = Field(default=None, ge=1, le=65535)
    account: Annotated[str, Field(pattern=ACCOUNT)]
    receiver: Annotated[str, Field(pattern=RECEIVER)] = "1"
    line: Annotated[str, Field(pattern=LINE)] = "0"
    format: Literal["adm-cid", "sia-dcs"] = "adm-cid"
    key_file: FilePath | None = None
    key_encoding: Literal["hex", "text"] = "hex"
    tls: Tls | None = None
    plaintext: Literal["I accept that anyone on the network can read and drop reports"] | None = None
    supervision_s: int = Field(default=30, ge=10, le=86_400, description="NULL so long after the last message")
    retry_s: int = Field(default=20, ge=5, le=60)
    tries: int = Field(default=3, ge=1, le=9)
    x_data: Literal["all", "one", "none"] = "one"
    mac: Annotated[str, Field(pattern=MAC)] = ""
    text: bool = False
    users: dict[Id, Annotated[int, Field(ge=0, le=999_999)]] = Field(default={}, max_length=1000)
    acknowledgement: Literal["I accept that an acknowledgement of DC-09 is not signed"] | None = None
