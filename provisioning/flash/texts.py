"""What `fenghuo flash` says, in English and Chinese."""

from firmware.language import Text

NO_IMAGE: Text = (
    "{image}: expected an image, fenghuo-VERSION.img or .img.zst",
    "{image}：应为镜像文件 fenghuo-VERSION.img 或 .img.zst",
)
MISSING: Text = (
    "{file}: not there; an image comes with its .bmap and .manifest.jws beside it",
    "{file}：不存在；镜像旁须有其 .bmap 和 .manifest.jws",
)
UNREADABLE: Text = ("{file} can't be read: {why}", "无法读取 {file}：{why}")
TOO_LONG: Text = ("{file}: more than {most} bytes", "{file}：超过 {most} 字节")
NO_KEY: Text = (
    "no trusted release key in {places}; give the vendor's public key with --key FILE.jwk",
    "{places} 中没有受信任的发布公钥；请用 --key FILE.jwk 指定",
)
BAD_KEY: Text = ("no release key: {why}", "发布公钥无效：{why}")
FOREIGN_KEY: Text = (
    "{file}: signed by a key that is not trusted here ({why}); nothing was written",
    "{file}：签名密钥不受信任（{why}）；未写入任何内容",
)
BAD_MANIFEST: Text = (
    "{file}: its manifest does not count ({why}); nothing was written",
    "{file}：清单无效（{why}）；未写入任何内容",
)
NOT_NAMED: Text = ("{file} is not in the manifest; it names {files}", "清单中没有 {file}；清单包含 {files}")
SIZE: Text = (
    "{file}: {found} bytes, the manifest says {expected}; download it again",
    "{file}：{found} 字节，清单为 {expected}；请重新下载",
)
CORRUPT: Text = (
    "{file} is not what was signed: SHA-256 {found}, expected {expected}; download it again. Nothing was written",
    "{file} 与签名不符：SHA-256 {found}，应为 {expected}；请重新下载。未写入任何内容",
)
BMAP: Text = ("{file}: {why}", "{file}：{why}")
RANGE: Text = (
    "{file} has changed since it was checked: blocks {blocks} have SHA-256 {found}, expected {expected};"
    " the card is not usable, flash it again",
    "{file} 在检查后发生变化：块 {blocks} 的 SHA-256 为 {found}，应为 {expected}；此卡不可用，请重新烧录",
)
IMAGE_TABLE: Text = ("{file}: its partition table: {why}", "{file}：分区表：{why}")
NO_BOOT: Text = (
    "{file}: no FAT boot partition in it, so panel.toml can't be put there",
    "{file}：没有 FAT 启动分区，无法放入 panel.toml",
)
NO_MTOOLS: Text = (
    "panel.toml is put in place by mtools, which is not installed: apt install mtools",
    "放入 panel.toml 需要 mtools，尚未安装：apt install mtools",
)
DROP: Text = (
    "{file}: the files can't be put into its boot partition: {why}. Nothing was written",
    "{file}：无法将文件放入启动分区：{why}。未写入任何内容",
)

NO_DEVICE: Text = (
    "{device}: {why}; `fenghuo flash --list` shows what is there",
    "{device}：{why}；可用 fenghuo flash --list 查看",
)
NOT_A_DISK: Text = ("{device} is not a disk that can be flashed", "{device} 不是可烧录的磁盘")
NEEDS_FORCE_FILE: Text = ("{device} is a file; to write into it: --force", "{device} 是文件；如要写入：--force")
ITSELF: Text = ("{device} is the image itself", "{device} 是镜像本身")
A_PARTITION: Text = (
    "{device} is a partition; an image takes the whole disk: {whole}",
    "{device} 是分区；镜像须写入整个磁盘：{whole}",
)
SYSTEM: Text = (
    "{device} carries this computer ({uses}); it is never written",
    "{device} 是本机系统盘（{uses}）；绝不写入",
)
MOUNTED: Text = (
    "{device} is mounted at {uses}; take it out of use first: umount {uses}",
    "{device} 已挂载于 {uses}；请先卸载：umount {uses}",
)
HELD: Text = ("{device} is in use by {uses}; take it out of use first", "{device} 正被 {uses} 使用；请先停用")
BUSY: Text = (
    "{device} is in use; close what works with it, and unmount it",
    "{device} 正在使用；请关闭相关程序并卸载",
)
READ_ONLY: Text = (
    "{device} is read-only; slide the card's switch back, or take another reader",
    "{device} 为只读；请拨回写保护开关或更换读卡器",
)
NOT_REMOVABLE: Text = (
    "{device} is not a removable disk; if it is the right one all the same: --force",
    "{device} 不是可移动磁盘；如确认无误：--force",
)
NO_RIGHTS: Text = (
    "{device}: no right to write it; run it as root: sudo fenghuo flash …",
    "{device}：没有写入权限；请以 root 运行：sudo fenghuo flash …",
)
TOO_SMALL: Text = (
    "{device} holds {size}, the image needs {need}; take a larger card",
    "{device} 容量为 {size}，镜像需要 {need}；请使用更大的卡",
)

WRITE_FAILED: Text = (
    "{card}: a write at byte {at} failed: {why}. Not usable; put it in again and run the same command:"
    " it goes on where it stopped. When it fails there again, take another card",
    "{card}：在字节 {at} 处写入失败：{why}。此卡尚不可用；请重新插入并运行相同命令，将从中断处继续。"
    "若再次失败，请更换存储卡",
)
FLUSH_FAILED: Text = (
    "{card}: it did not take what was written: {why}. Not usable; run the same command again, or take another card",
    "{card}：未能保存写入内容：{why}。此卡尚不可用；请重新运行相同命令或更换存储卡",
)
READ_FAILED: Text = (
    "{card}: reading back at byte {at} failed: {why}. Don't use it; run the same command again, or take another card",
    "{card}：在字节 {at} 处读回失败：{why}。请勿使用；请重新运行相同命令或更换存储卡",
)
DIFFERS: Text = (
    "{card}: it reads back something else than was written, first at byte {at}. Don't use it; take another card",
    "{card}：读回内容与写入不符，首处在字节 {at}。请勿使用；请更换存储卡",
)
FALSE_CAPACITY: Text = (
    "{card}: it says it holds {size}, but what was written at {at} is not there: a card of false capacity,"
    " or a broken one. Don't use it",
    "{card}：标称 {size}，但写入 {at} 处的内容不存在：容量虚标或已损坏。请勿使用",
)

IMAGE: Text = (
    "image      {file}: version {version} for {target}, signed by {kid}",
    "镜像       {file}：版本 {version}，适用 {target}，签名密钥 {kid}",
)
WRITES: Text = ("writes     {mapped} of {size}", "写入       {mapped}，共 {size}")
CARD: Text = ("onto       {device} {described}", "目标       {device} {described}")
LOST: Text = ("LOST       {name} {size} {what} {label}", "将丢失     {name} {size} {what} {label}")
NOTHING_LOST: Text = ("lost       no partitions are on it", "将丢失     无分区")
PANEL: Text = (
    "puts in    panel.toml: {panel} ({name}), SHA-256 {sha256}",
    "放入       panel.toml：{panel}（{name}），SHA-256 {sha256}",
)
ENROL: Text = ("puts in    enrol.json: center {center}", "放入       enrol.json：中心 {center}")
EXTRA: Text = ("puts in    {name}: {size} bytes", "放入       {name}：{size} 字节")
NO_SSH_KEY: Text = ("{file}: no SSH public key in it", "{file}：其中没有 SSH 公钥")
BAD_SSH_KEY: Text = (
    "{file}, line {line}: no SSH public key; expected what stands in authorized_keys or id_*.pub",
    "{file} 第 {line} 行：不是 SSH 公钥；应为 authorized_keys 或 id_*.pub 的内容",
)
NO_NETWORK: Text = (
    "{file}: expected a file NAME.network of systemd-networkd, with a section [Match]",
    "{file}：应为 systemd-networkd 的 NAME.network 文件，含 [Match] 段",
)
TWICE: Text = ("{file}: a file of this name is given twice", "{file}：同名文件给出了两次")
NO_TEXT: Text = ("{file}: not a text in UTF-8", "{file}：不是 UTF-8 文本")
WARNING: Text = ("warning: ", "警告：")
NO_PANEL: Text = (
    "puts in    nothing: the panel waits for its panel.toml (--config FILE)",
    "放入       无：主机将等待 panel.toml（--config FILE）",
)
ASK: Text = ("All of it will be overwritten. Type {name} to go on: ", "其全部内容将被覆盖。输入 {name} 继续：")
NOT_DONE: Text = ("nothing was written", "未写入任何内容")
NEEDS_YES: Text = ("--json asks nothing: it needs --yes or --dry-run", "--json 不询问：须同时使用 --yes 或 --dry-run")
NEEDS_BOTH: Text = ("expected IMAGE and DEVICE, or --list", "应提供 IMAGE 和 DEVICE，或 --list")
STOPPED: Text = (
    "stopped; the card is not usable yet. The same command goes on where it stopped",
    "已中断；此卡尚不可用。重新运行相同命令可从中断处继续",
)
DRY: Text = ("dry run: nothing was written", "试运行：未写入任何内容")
DONE: Text = (
    "done: {written} written, {equal} were there already, all read back and equal; {seconds} s. Take the card out",
    "完成：写入 {written}，已有 {equal}，全部读回核对一致；用时 {seconds} 秒。可取出存储卡",
)
EQUAL: Text = (
    "nothing to write: all {equal} are on the card already, read and compared",
    "无需写入：卡上已有全部 {equal}，已读取核对",
)

STEPS: dict[str, Text] = {
    "check": ("checking the image", "检查镜像"),
    "marks": ("marking the capacity", "标记容量"),
    "write": ("writing", "写入"),
    "verify": ("reading back", "读回核对"),
}
PROGRESS: Text = (
    "{step}: {percent} %, {rate} MiB/s, {left} s left",
    "{step}：{percent} %，{rate} MiB/s，剩余 {left} 秒",
)

NO_DISKS: Text = (
    "no removable disk; put the card in. All disks: fenghuo flash --list --force",
    "没有可移动磁盘；请插入存储卡。查看全部磁盘：fenghuo flash --list --force",
)
USES: dict[str, Text] = {
    "system": ("this computer's own: never", "本机系统盘：不可用"),
    "mounted": ("mounted at {uses}: unmount it first", "已挂载于 {uses}：请先卸载"),
    "held": ("in use by {uses}", "正被 {uses} 使用"),
    "read-only": ("read-only: slide its switch back", "只读：请拨回写保护开关"),
    "fixed": ("not removable: only with --force", "不可移动：仅限 --force"),
    "": ("can be flashed", "可烧录"),
}
HEADS: tuple[Text, ...] = (("device", "设备"), ("size", "容量"), ("model", "型号"), ("on it", "内容"), ("", ""))
