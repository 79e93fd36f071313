#!/bin/sh
# debian_disk.sh IMAGE [MEGABYTES]: a Debian 12 i386 disk as a user would have one: MBR, ext4, GRUB, the distribution's
# kernel, systemd, a login on the serial line and on the VGA console (root, password "calque"), python3 and gcc.
#
# Needs root (debootstrap), about 2.5 GB beside IMAGE while it works, and a Debian mirror: $MIRROR, or what apt uses.
# No loop device and no partition scan are needed, so that it also runs in a container: mke2fs fills the partition in
# place, and GRUB's two boot stages are put where the GRUB manual (4.1, "BIOS installation") says they lie.
set -eu

image=${1:?usage: debian_disk.sh IMAGE [MEGABYTES]}
megabytes=${2:-2048}
mirror=${MIRROR:-http://deb.debian.org/debian}
kernel=${KERNEL:-linux-image-686-pae}
first_sector=2048 # of the partition; GRUB's core image lies between the MBR and it

for tool in debootstrap mke2fs sfdisk grub-mkimage; do
	command -v $tool >/dev/null || { echo "debian_disk.sh: $tool is missing (packages: debootstrap e2fsprogs fdisk grub-common)" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "debian_disk.sh: debootstrap needs root" >&2; exit 1; }

root=$(mktemp -d "$image.root.XXXXXX")
chmod 755 "$root"
cleanup() {
	umount "$root/proc" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

inside() {
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

debootstrap --arch=i386 --variant=minbase \
	--include=systemd-sysv,dbus,udev,kmod,e2fsprogs,procps,iproute2,ifupdown,less,initramfs-tools,bzip2,xz-utils,file,python3,gcc,libc6-dev \
	bookworm "$root" "$mirror"

cat >"$root/etc/fstab" <<-END
	LABEL=calque-root / ext4 errors=remount-ro 0 1
END
echo calque >"$root/etc/hostname"
echo "127.0.0.1 localhost calque" >"$root/etc/hosts"
echo "root:calque" | inside chpasswd

# The kernel and GRUB's files; their scripts need /proc, and must not start services or look for this host's disks.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
echo "grub-pc grub-pc/install_devices_empty boolean true" | inside debconf-set-selections
inside apt-get install -y --no-install-recommends "$kernel" grub-pc
inside apt-get clean
rm "$root/usr/sbin/policy-rc.d"

# Both consoles: the kernel's messages on both, a login on each (systemd starts one on the last console= by itself).
cat >"$root/etc/default/grub" <<-'END'
	GRUB_DEFAULT=0
	GRUB_TIMEOUT=1
	GRUB_DISTRIBUTOR=Debian
	GRUB_CMDLINE_LINUX_DEFAULT=""
	GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
	GRUB_TERMINAL="console serial"
END
inside systemctl enable getty@tty1.service serial-getty@ttyS0.service >/dev/null 2>&1
# What update-grub will write again once the system runs and can see its disk.
mkdir -p "$root/boot/grub"
cat >"$root/boot/grub/grub.cfg" <<-'END'
	serial --unit=0 --speed=115200
	terminal_input console serial
	terminal_output console serial
	set timeout=1
	menuentry "Debian GNU/Linux" {
		search --no-floppy --label calque-root --set=root
		linux /vmlinuz root=LABEL=calque-root ro console=tty0 console=ttyS0,115200
		initrd /initrd.img
	}
END
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub/"
umount "$root/proc"

# The disk: the partition table, the file system inside it, then both boot stages.  boot.img keeps the table's bytes
# (446 to 511); it loads sector 1, where core.img begins, whose first sector holds the list of the others.
rm -f "$image"
truncate -s "${megabytes}M" "$image"
echo "start=$first_sector, type=83, bootable" | sfdisk -q --label dos "$image"
mke2fs -q -t ext4 -L calque-root -d "$root" -E offset=$((first_sector * 512)) \
	"$image" "$((megabytes * 1024 - first_sector / 2))k"
grub="$root/boot/grub/i386-pc"
grub-mkimage -d "$grub" -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$root/core.img" biosdisk part_msdos ext2
[ "$(stat -c %s "$root/core.img")" -le $(((first_sector - 1) * 512)) ]
dd if="$grub/boot.img" of="$image" bs=1 count=440 conv=notrunc status=none
dd if="$root/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
