"""What to do about the board, its disk, the keys and the journal: one plain sentence each, beside `remedies`."""

from collections.abc import Mapping
from types import MappingProxyType

from firmware.language import Text

OF_BOARD: Mapping[str, Text] = MappingProxyType(
    {
        "under-voltage": (
            "Fit a supply of 5.1 V with enough current and a short, thick cable; take loads off the board's USB.",
            "使用电流充足的 5.1 V 电源和粗短电源线；减少主板 USB 负载。",
        ),
        "hot": (
            "Give the box air, or fit a heat sink; keep it out of the sun.",
            "改善通风或加装散热片；避免日晒。",
        ),
        "slowed": (
            "The firmware slowed the processor down: look after the supply and the heat, then restart the panel.",
            "固件曾降低处理器频率：检查供电与散热，然后重启主机。",
        ),
        "worn": (
            "Replace the medium soon: copy the panel with fenghuo restore (docs/restore.md).",
            "请尽快更换存储介质：用 fenghuo restore 迁移主机（docs/restore.md）。",
        ),
        "writes": (
            "Give cameras fewer frames, look for zones that chatter, or fit a larger, more durable medium.",
            "降低摄像机帧率，检查频繁触发的防区，或更换更大更耐用的介质。",
        ),
        "root": (
            "The system should be read-only: flash the image again; a power cut may harm it as it is.",
            "系统分区应为只读：请重新写入镜像；否则断电可能损坏系统。",
        ),
        "read-only": (
            "The kernel has made the data read-only after an error: restart, then replace the medium.",
            "内核因错误将数据分区设为只读：请重启，然后更换存储介质。",
        ),
        "options": (
            "Mount the data as the image does (/etc/fstab): flash the image again, or add what is missing.",
            "数据分区应按镜像的 /etc/fstab 挂载：请重新写入镜像，或补上缺少的选项。",
        ),
        "full": (
            "Fit a larger medium; delete nothing by hand: what is old enough goes by itself.",
            "更换更大的介质；请勿手动删除：到期数据会自动清理。",
        ),
        "inodes": (
            "Too many small files lie on the data: look for what is not the panel's; fit a new medium.",
            "数据分区小文件过多：检查非主机文件；更换介质。",
        ),
        "rtc": (
            "Fit a clock module with a battery: after a power cut the panel knows no time until the center answers.",
            "加装带电池的时钟模块：断电后在联系到中心之前主机没有正确时间。",
        ),
        "clock": (
            "Give the panel a time server it can reach, or let the center set the clock (docs/clock.md).",
            "设置可达的时间服务器，或由中心校时（docs/clock.md）。",
        ),
        "key-missing": ("Enrol the panel: fenghuo enroll", "请为主机注册证书：fenghuo enroll"),
        "secret-missing": (
            "Write the file, mode 0600, as the panel file says.",
            "按配置文件写入该文件，权限 0600。",
        ),
        "key-open": (
            "Others may read it: chmod 600 {file}, and have the key exchanged, for it may be known.",
            "其他用户可读：chmod 600 {file}，并更换该密钥，因其可能已泄露。",
        ),
        "key-owner": ("Give it back: chown {owner} {file}", "恢复属主：chown {owner} {file}"),
        "key-unread": ("Look again with sudo.", "请用 sudo 再次检查。"),
        "key-broken": ("Enrol the panel again: fenghuo enroll --again", "请重新注册：fenghuo enroll --again"),
        "certificate": (
            "It renews itself when the center answers: call the center; else enrol again: fenghuo enroll --again",
            "证书由中心应答后自动更新：请联系中心；否则重新注册：fenghuo enroll --again",
        ),
        "journal": (
            "Save it with fenghuo support-bundle and call the helpdesk; the panel begins a new one by itself.",
            "用 fenghuo support-bundle 保存并联系技术支持；主机会自动建立新日志。",
        ),
        "wal": (
            "Something holds the journal open for reading: end it, or restart the panel.",
            "有程序长时间占用日志读取：请结束该程序或重启主机。",
        ),
        "mirror": (
            "Put the panel's stick in; the mirror must lie on another medium than the data.",
            "请插入主机的 U 盘；镜像须位于与数据不同的介质上。",
        ),
    }
)
