"""The files of a board's kernel, in a folder: the other side of what the doctor reads."""

from pathlib import Path

MOUNTINFO = """\
22 1 254:0 / / {root} - squashfs /dev/mapper/root {above}
30 22 179:4 / {data} {options} - ext4 /dev/mmcblk0p4 {super}
"""


class Tree:
    """A Raspberry Pi with our image on an eMMC, that is well; each part can be made ill."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self._data = data
        self.block = "sys/devices/platform/emmc2bus/mmc0:0001/block/mmcblk0"
        self.write("sys/class/hwmon/hwmon1/name", "rpi_volt")
        self.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0")
        self.write("sys/devices/platform/soc/soc:firmware/get_throttled", "0")
        self.write("sys/class/thermal/thermal_zone0/temp", "45230")
        self.write("sys/class/rtc/rtc0/name", "rtc-ds1307 1-0068")
        self.write("run/systemd/timesync/synchronized", "")
        self.write("run/fenghuo-boot/slot", "A")
        self.write("proc/uptime", "86400.12 300000.00")
        self.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
        for name, text in {
            "size": "60000000",
            "stat": " 100 0 800 0 200 0 2000000 0 0 0 0",
            "device/type": "MMC",
            "device/name": "DG4032",
            "device/date": "03/2026",
            "device/life_time": "0x02 0x01",
            "device/pre_eol_info": "0x01",
            "mmcblk0p4/partition": "4",
        }.items():
            self.disk(name, text)
        self.write("sys/dev/block/.keep", "")
        (root / "sys/dev/block/179:4").symlink_to(root / self.block / "mmcblk0p4")
        self.mounted()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def disk(self, name: str, text: str) -> None:
        """A file of the disk's folder."""
        self.write(f"{self.block}/{name}", text)

    def mounted(
        self, root: str = "ro,relatime", options: str = "rw,nosuid,nodev,noexec,noatime", above: str = "rw"
    ) -> None:
        """How root and data are mounted; `above`: the options of the data's file system itself."""
        told = MOUNTINFO.format(
            root=root, data=str(self._data).replace(" ", "\\040"), options=options, super=above, above=root[:2]
        )
        self.write("proc/self/mountinfo", told)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()
