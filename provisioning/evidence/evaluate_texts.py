"""What `fenghuo evidence evaluate` says, in English and Chinese; its page has both."""

from firmware.language import Text

NO_FOLDER: Text = ("{folder}: no such folder", "{folder}：没有此目录")
NO_PICTURES: Text = (
    "{folder}: no pictures to count by: found none in a folder person… or empty… of it, expected {suffixes}",
    "{folder}：没有可统计的图像：其 person… 或 empty… 子目录中未找到，应为 {suffixes}",
)
TOO_MANY: Text = (
    "{folder}: found {count} pictures, expected at most {limit}",
    "{folder}：找到 {count} 张图像，至多 {limit} 张",
)
NO_MODEL: Text = ("no person check: {why}", "无法识别人员：{why}")
NO_CAMERA: Text = (
    "{place}: there is no camera {camera}; expected one of {cameras}",
    "{place}：没有摄像机 {camera}；应为以下之一：{cameras}",
)
CONFIG_ALONE: Text = (
    "--camera needs the panel file: --config panel.toml, and --config a camera",
    "--camera 与 --config panel.toml 须同时给出",
)
WRITTEN: Text = ("page: {place}", "网页：{place}")
CANT_WRITE: Text = ("{place}: can't be written: {why}", "{place}：无法写入：{why}")
UNREAD: Text = ("not looked at: {name}: {why}", "未识别：{name}：{why}")
ALL_UNREAD: Text = (
    "none of {count} pictures could be looked at; the first, {name}: {why}",
    "{count} 张图像均无法识别；第一张 {name}：{why}",
)
MORE: Text = ("… and {count} more", "……另有 {count} 个")

TITLE: Text = ("Person models on {count} pictures", "{count} 张图像上的人员识别模型")
MODEL: Text = ("model", "模型")
MEAN: Text = ("mean, which the panel goes by", "平均值(主机据此判定)")
THRESHOLD: Text = ("threshold", "阈值")
FOUND: Text = ("people found", "识别出人员")
MISTAKEN: Text = ("empty taken for a person", "误判为有人")
AUC: Text = ("AUC", "AUC")
MILLISECONDS: Text = ("ms a picture, both models", "每张毫秒(两个模型)")
GROUP: Text = ("folder", "目录")
PICTURES: Text = ("pictures", "图像")
PERSON: Text = ("with a person", "有人")
EMPTY: Text = ("empty", "无人")
OTHER: Text = ("not counted", "不计入")
TRUTH: Text = ("holds", "内容")
TAKEN: Text = ("taken for a person", "判定为有人")
MISSES: Text = ("Missed: a person, and not found", "漏判：有人但未识别")
FALSE: Text = ("Mistaken: empty, and taken for a person", "误判：无人但判定为有人")
HITS: Text = ("Found: a person", "正确：识别出人员")
CALM: Text = ("Empty, and told so", "正确：无人")
UNCOUNTED: Text = ("Not counted: neither person… nor empty…", "不计入：目录名非 person… 或 empty…")
NOT_READ: Text = ("Not looked at", "未识别")
NONE: Text = ("none", "无")
WARNING: Text = (
    "A small set says little: with {count} pictures of a sort, one picture more or less moves a part by {step} %."
    " No person found means unverified, never nobody.",
    "样本少时意义有限：某类仅 {count} 张，多一张或少一张即变动 {step} %。未识别出人员表示“未复核”，绝不表示无人。",
)
