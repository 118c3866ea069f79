"""What to do: one plain sentence for each trouble of a panel, and for each thing that a driver can suffer from."""

from collections.abc import Mapping
from types import MappingProxyType

from firmware.language import Text

TROUBLES: Mapping[str, Text] = MappingProxyType(
    {
        "mains": (
            "Check the fuse, the plug and the mains of the building; the panel runs on its battery meanwhile.",
            "检查保险丝、插头和楼内供电；主机目前由蓄电池供电。",
        ),
        "battery": (
            "Check the charger and let it charge for a day; replace the battery when it stays low.",
            "检查充电器并充电一天；若电压仍低，请更换蓄电池。",
        ),
        "battery-missing": (
            "Connect the battery, and check its fuse and both terminals.",
            "接好蓄电池，检查其保险丝和两端接线。",
        ),
        "battery-test": (
            "Replace the battery, let it charge, then run: battery test.",
            "更换蓄电池，充电后重新进行蓄电池测试。",
        ),
        "charger": ("Measure the supply's output; replace the power supply.", "测量电源输出电压；更换电源。"),
        "overcurrent": (
            "Take loads off the supply one by one until it recovers; look for a short in the field wiring.",
            "逐一断开负载直至恢复；检查现场线路是否短路。",
        ),
        "siren": (
            "Measure the siren's line at the panel's terminals; look for a cut, a short, or a missing end resistor.",
            "在主机端子处测量警号线路；检查断路、短路或末端电阻缺失。",
        ),
        "box": (
            "Close the cabinet; when nobody of yours opened it, look at who did.",
            "关闭机箱；若非本方人员开启，请查明原因。",
        ),
        "bus": (
            "Check the module's supply, its address and the two bus wires; on the whole bus, the adapter's plug.",
            "检查模块供电、地址和总线两根线；若整条总线故障，检查适配器接口。",
        ),
        "driver": (
            "See the driver's own line above: it names the line or chip that fails.",
            "参见上方该驱动一行，其中指明故障的线路或芯片。",
        ),
        "jamming": ("Move the receiver, or find the transmitter.", "移动接收器，或查找干扰源。"),
        "camera": (
            "Check the camera's cable and supply, and that nothing covers it.",
            "检查摄像机线缆和供电，确认镜头未被遮挡。",
        ),
        "camera-tamper": (
            "Uncover, clean or turn back the camera; where it now hangs as it should, run: fenghuo cameras relearn.",
            "检查摄像机：移除遮挡、清洁或转回原位；若现位置正确，运行 fenghuo cameras relearn。",
        ),
        "storage": (
            "Replace the card: it is full, or it fails. Records go on in memory and to the center meanwhile.",
            "更换存储卡：已满或已损坏。记录暂存内存并继续上传中心。",
        ),
        "evidence": (
            "Fit a larger card, or give cameras fewer frames; look for zones that alarm again and again.",
            "更换更大容量的存储卡，或降低摄像机帧率；检查反复报警的防区。",
        ),
        "mirror": (
            "Put the panel's own stick back, or a new empty one; when it is full, damaged or read-only, replace it.",
            "插回本主机的 U 盘，或插入新的空盘；若已满、损坏或只读，请更换。",
        ),
        "clock": (
            "Give the panel a time server, or fit a clock module with a battery.",
            "为主机设置时间服务器，或加装带电池的时钟模块。",
        ),
        "path": (
            "Check the network cable, the SIM, and the center's address; see the path's detail.",
            "检查网线、SIM 卡和中心地址；参见该路径的详细信息。",
        ),
        "paths": (
            "Nothing reaches the center: restore one path first; alarms sound here and wait in the journal.",
            "无法连接中心：请先恢复一条路径；警情在本地发声并保存在日志中。",
        ),
        "certificate": (
            "It renews itself when the center answers: call the center; else enrol again: fenghuo enroll --again.",
            "证书由中心应答后自动更新：请联系中心；否则重新注册：fenghuo enroll --again。",
        ),
        "board": (
            "Fit a supply of 5.1 V with enough current, shorten its cable, and give the box air.",
            "使用电流充足的 5.1 V 电源，缩短供电线，并改善机箱散热。",
        ),
        "maintenance": (
            "A loop drifts: measure its resistance, renew corroded joints. The clock: give it a time server.",
            "回路漂移：测量电阻，处理锈蚀接点。时钟漂移：设置时间服务器。",
        ),
        "program": (
            "The program is not what was installed: install it again, and report it.",
            "程序与安装时不符：重新安装并上报。",
        ),
        "rules": (
            "Save a support copy of the journal and report it; restart the panel.",
            "保存日志副本并上报；重新启动主机。",
        ),
    }
)
"""By the names of `rules.vocabulary.TROUBLES`."""

OF_DRIVERS: Mapping[str, Text] = MappingProxyType(
    {
        "hangs": (
            "Restart the panel; when it hangs again, change the board or the adapter.",
            "重新启动主机；若再次停滞，更换主板或适配器。",
        ),
        "line": (
            "See whether another program holds this line, and whether the file names the right one.",
            "检查该线是否被其他程序占用，以及配置文件中的线号是否正确。",
        ),
        "output": (
            "Switch the load off and measure the line: something else drives it, or it is shorted.",
            "断开负载测量该线：可能被外部驱动或短路。",
        ),
        "chatter": (
            "Look for a loose contact or a relay that chatters on this zone; shield a long cable.",
            "检查该防区接触不良或抖动的继电器；长线缆须屏蔽。",
        ),
        "unread": (
            "The zone was never read since the start: wait ten seconds; else check its driver.",
            "启动以来尚未读到该防区：等待十秒；否则检查其驱动。",
        ),
        "chip": (
            "Check the converter's supply, its select line and SPI being enabled on the board.",
            "检查转换器供电、片选线，并确认主板已启用 SPI。",
        ),
        "noise": (
            "Frames are disturbed now and then: shorten or shield the wires to the converter.",
            "数据偶有干扰：缩短或屏蔽转换器连线。",
        ),
        "bus": (
            "Check the adapter and its name in the file; unplug it and plug it in again.",
            "检查适配器及其在文件中的名称；重新插拔。",
        ),
        "module": (
            "Check this module's supply, its address switches and the two bus wires.",
            "检查该模块供电、地址开关和总线两根线。",
        ),
        "restarts": (
            "The bus process had to be started again: look at its log, and at the adapter.",
            "总线进程曾重新启动：查看其日志并检查适配器。",
        ),
        "core": (
            "Start the panel, or ask the service why it ended: systemctl status fenghuo-core",
            "启动主机，或查看服务停止原因：systemctl status fenghuo-core",
        ),
    }
)
