"""What `fenghuo restore` says, in English and Chinese."""

from firmware.language import Text

NO_MIRROR: Text = (
    "{place}: no mirror: found no {label}; expected the folder that [storage] mirror names",
    "{place}：不是镜像：未找到 {label}；应为 [storage] mirror 所指的目录",
)
BAD_MIRROR: Text = ("{place}: {why}", "{place}：{why}")
NO_KEY: Text = (
    "{place}: no public key to prove the mirror by: {why}; give it with --key core.jwk (the center has it)",
    "{place}：没有可用于校验镜像的公钥：{why}；请用 --key core.jwk 指定(接警中心持有)",
)
NOTHING: Text = ("{place}: no journal that can be restored", "{place}：没有可恢复的日志")
UNSOUND: Text = (
    "{name}: {count} findings; the newest journal is not sound, so nothing is restored."
    " See: fenghuo journal verify {place}",
    "{name}：{count} 个问题；最新日志不完好，未作恢复。请查看：fenghuo journal verify {place}",
)
LEFT_OUT: Text = (
    "{name}: {count} findings: left out, it stays on the mirror",
    "{name}：{count} 个问题：未恢复，仍保留在镜像上",
)
NO_FILE: Text = (
    "{place}: no panel file there, and none on the mirror; put it there first",
    "{place}：此处和镜像上均无配置文件；请先放置",
)
OTHER_PANEL: Text = (
    "{place} is of panel {found}, the mirror of {expected}: restored only onto the same panel id",
    "{place} 属于主机 {found}，镜像属于 {expected}：仅可恢复到相同的主机编号",
)
NEWER: Text = (
    "{data}: {name} has records that are not on the mirror; to set it aside and restore all the same: --replace",
    "{data}：{name} 含镜像上没有的记录；如仍要恢复并将其另存：--replace",
)
NOTHING_MISSING: Text = (
    "{data}: it holds all that the mirror has, up to record {seq} of journal {journal}; nothing to restore",
    "{data}：已含镜像的全部内容(至日志 {journal} 的记录 {seq})；无需恢复",
)
ALREADY: Text = (
    "{data}: restored from this mirror already, record {seq} of journal {journal}; nothing to do",
    "{data}：已由此镜像恢复(日志 {journal} 的记录 {seq})；无需再做",
)
FULL: Text = ("{data}: {free} MiB free, {need} MiB needed", "{data}：可用 {free} MiB，需要 {need} MiB")
WHICH_KEYS: Text = (
    "no private key lies in {keys}: give the offline backup with --keys FOLDER, or --new-keys: then all codes are gone,"
    " users have to be set anew, and the center has to be told the new public key",
    "{keys} 中没有私钥：请用 --keys 目录 提供离线备份，或用 --new-keys：此时所有密码失效，"
    "须重新设置用户，并向接警中心登记新公钥",
)
BAD_KEYS: Text = (
    "{place}: found {found}, expected core.pem and pepper of panel key {expected}",
    "{place}：实际为 {found}，应为主机密钥 {expected} 的 core.pem 与 pepper",
)
TAKEN: Text = ("a panel runs on {data}: stop it first", "{data} 上有主机正在运行：请先停止")
FAILED: Text = (
    "{data}: {why}; nothing is in force yet, do it again",
    "{data}：{why}；尚未生效，请重做",
)

PANEL: Text = ("panel        {panel}, key {kid}", "主机         {panel}，密钥 {kid}")
FROM: Text = (
    "from         journal {journal}, record {seq}, written {utc}",
    "来源         日志 {journal}，记录 {seq}，写于 {utc}",
)
JOURNALS: Text = (
    "journals     {count}, {records} records, {mib} MiB, all proven",
    "日志         {count} 个，{records} 条记录，{mib} MiB，全部通过校验",
)
AREA: Text = ("area         {id}: {mode}", "区域         {id}：{mode}")
IN_ALARM: Text = ("in alarm", "报警中")
BYPASSED: Text = ("bypassed     {zones}", "旁路         {zones}")
TROUBLES: Text = ("troubles     {troubles}", "故障         {troubles}")
USERS: Text = ("users        {count}, their codes count as before", "用户         {count} 个，密码照旧有效")
USERS_GONE: Text = (
    "users        {names}: their codes are worth nothing under a new key; set them anew: fenghuo users set",
    "用户         {names}：新密钥下密码失效；请重新设置：fenghuo users set",
)
FILE: Text = ("panel file   {place}", "配置文件     {place}")
FILE_COPIED: Text = ("panel file   from the mirror, to {place}", "配置文件     由镜像复制到 {place}")
FILE_OTHER: Text = (
    "panel file   {place}: it stays; the mirror holds another one",
    "配置文件     {place}：保持不变；镜像上的与之不同",
)
INTO: Text = ("into         {data}", "恢复到       {data}")
COMPARE: Text = (
    "Compare the key with what the alarm center knows. The old panel must never run again.",
    "请与接警中心登记的密钥核对。旧主机不得再运行。",
)
ASK: Text = ("restore? [y/N] ", "是否恢复？[y/N] ")
NOT_DONE: Text = ("nothing was changed", "未作任何更改")
DONE: Text = (
    "restored: journal {journal} goes on from record {seq}; start the panel",
    "已恢复：新日志 {journal} 接续记录 {seq}；请启动主机",
)
ENROLL: Text = (
    "new public key {kid}: the center must be told before it believes this panel",
    "新公钥 {kid}：须先向接警中心登记，中心才会信任此主机",
)
