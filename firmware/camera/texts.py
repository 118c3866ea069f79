"""What the camera process says to people, in English and Chinese: the details of camera trouble."""

from firmware.language import Text

NO_FRAMES: Text = ("no frames: {why}", "没有图像:{why}")
HUNG: Text = ("no frame for {seconds} s, the camera does not answer", "{seconds} 秒没有图像,摄像机无响应")
NOT_SAVED: Text = ("pictures can't be saved: {why}", "图像无法保存:{why}")
THINNED: Text = (
    "pictures left out, the day's budget of writing is used up: {count}",
    "当日写入额度已用完,略去图像:{count}",
)
ORDERS_DROPPED: Text = ("capture orders dropped, too many at once: {count}", "同时抓拍过多,已丢弃抓拍指令:{count}")
RING_SQUEEZED: Text = (
    "pre-alarm pictures are fewer than asked for: memory limit",
    "预录图像少于设定:达到内存上限",
)
MEMORY: Text = (
    "{held} MiB held, at most {limit} are allowed: the process ends, to be started anew",
    "占用内存 {held} MiB，超过上限 {limit} MiB：进程退出，等待重启",
)
ALL_HUNG: Text = ("no camera answers: the process ends, to be started anew", "所有摄像机均无响应:进程退出,等待重启")
