#!/bin/busybox sh
# The first program: opens the verified root of the slot that U-Boot chose (kernel words fenghuo.*), and leaves.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=0755,nosuid,nodev run /run

fail() {
    echo "fenghuo: $1; another try in 5 s" >/dev/kmsg
    sleep 5
    # The boot counter was taken down before: after three tries the other slot has its turn.
    echo b >/proc/sysrq-trigger
    reboot -f
}

while read -r module; do insmod "/modules/$module" 2>/dev/null; done </modules/order

for word in $(cat /proc/cmdline); do
    case "$word" in
    rauc.slot=*) slot=${word#*=} ;;
    fenghuo.slot=*) uuid=${word#*=} ;;
    fenghuo.root_hash=*) hash=${word#*=} ;;
    fenghuo.salt=*) salt=${word#*=} ;;
    fenghuo.start=*) start=${word#*=} ;;    # of the root in the slot, sectors of 512 bytes
    fenghuo.blocks=*) blocks=${word#*=} ;;  # of the root, 4096 bytes each; the hash tree follows at once
    esac
done
[ -n "$hash" ] && [ -n "$blocks" ] && [ -n "$start" ] || fail "the kernel's words name no verified root"

find_slot() {
    # A card's number depends on what else is plugged in; the signature of its partition table does not.
    for disk in /sys/block/*; do
        [ -e "$disk/device" ] || [ -e "$disk/mq" ] || continue
        name=${disk##*/}
        signature=$(dd if="/dev/$name" bs=1 skip=440 count=4 2>/dev/null | hexdump -e '1/4 "%08x"')
        [ "$signature" = "${uuid%-*}" ] || continue
        number=${uuid#*-}; number=${number#0}
        for part in "/dev/$name$number" "/dev/${name}p$number"; do
            [ -b "$part" ] && { device=$part; return 0; }
        done
    done
    return 1
}
tries=0
until find_slot; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || fail "no partition $uuid"
    sleep 0.2
done

# Nobody makes links in /dev/mapper yet: these are the first two, dm-0 and dm-1.
size=$(cat "/sys/class/block/${device##*/}/size")
dmsetup --noudevsync create fenghuo-slot --readonly --table "0 $((size - start)) linear $device $start" ||
    fail "the slot can't be opened"
dmsetup --noudevsync create fenghuo-root --readonly --table \
    "0 $((blocks * 8)) verity 1 /dev/dm-0 /dev/dm-0 4096 4096 $blocks $blocks sha256 $hash $salt 1 restart_on_corruption" ||
    fail "the verified root can't be opened"
mount -t squashfs -o ro /dev/dm-1 /root || fail "the root is not what the boot entry names"

# Writable and gone with the power; here, since the first services already want their places in them.
mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=32M var /root/var
mkdir -p /root/var/log/journal /root/var/lib/systemd/timesync /root/var/cache /root/var/spool
mkdir -m 1777 /root/var/tmp
ln -s /run /root/var/run
ln -s /run/lock /root/var/lock
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=32M tmp /root/tmp

mkdir -p /run/fenghuo-boot
echo "$slot" >/run/fenghuo-boot/slot
echo "$hash" >/run/fenghuo-boot/root-hash
# The same at each boot of this board, and no other's: from its serial number, else (a virtual board) from its addresses.
{ cat /proc/device-tree/serial-number 2>/dev/null || cat /sys/class/net/*/address 2>/dev/null; echo fenghuo; } |
    sha256sum | cut -c1-32 >/run/fenghuo-boot/machine-id
mount --bind /run/fenghuo-boot/machine-id /root/etc/machine-id

mount --move /run /root/run
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /sbin/init
fail "no system in the root"
