#!/bin/sh
# debian_disk.sh IMAGE [MEGABYTES]: a Debian 12 i386 disk as a user would have one: MBR, ext4, GRUB, the distribution's
# kernel, systemd, a login on the serial line and on the VGA console (root, password "calque"), python3 and gcc.
#
# Needs root (debootstrap), about 2.5 GB beside IMAGE while it works, and a Debian mirror: $MIRROR.  No loop device and
# no partition scan are needed, so that it also runs in a container: mke2fs fills the partition in place, and GRUB's two
# boot stages are put where the GRUB manual (4.1, "BIOS installation") says they lie.  The packages configure themselves
# in a chroot, or where the host cannot run i386 programs, in $CALQUE (./calque) on the disk itself.
set -eu

image=${1:?usage: debian_disk.sh IMAGE [MEGABYTES]}
megabytes=${2:-2048}
mirror=${MIRROR:-http://deb.debian.org/debian}
kernel=${KERNEL:-linux-image-686-pae}
calque=${CALQUE:-./calque}
first_sector=2048 # of the partition; GRUB's core image lies between the MBR and it

for tool in debootstrap mke2fs sfdisk grub-mkimage depmod cpio; do
	command -v $tool >/dev/null || {
		echo "debian_disk.sh: $tool is missing (packages: debootstrap e2fsprogs fdisk grub-common kmod cpio)" >&2
		exit 1
	}
done
[ "$(id -u)" = 0 ] || { echo "debian_disk.sh: debootstrap needs root" >&2; exit 1; }

work=$(realpath "$(mktemp -d "$image.work.XXXXXX")")
root=$work/root
# What debootstrap mounts for the packages' scripts.
unmount() {
	for name in proc sys; do
		[ -L "$root/$name" ] || umount "$root/$name" 2>/dev/null || true
	done
}
cleanup() {
	unmount
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# unpack PATTERN FOLDER: a package that debootstrap fetched and has not unpacked yet.
unpack() {
	mkdir -p "$2"
	# shellcheck disable=SC2086 # a pattern
	dpkg-deb -x "$root"/var/cache/apt/archives/$1_*.deb "$2"
}

# The packages, not yet configured, and what the system shall find when they are.
unpack_system() {
	mkdir -m 755 "$root"
	debootstrap --foreign --arch=i386 --variant=minbase \
		--include=systemd-sysv,dbus,udev,kmod,e2fsprogs,procps,iproute2,ifupdown,less,initramfs-tools,busybox-static,bzip2,xz-utils,file,python3,gcc,libc6-dev,"$kernel",grub-pc \
		bookworm "$root" "$mirror"
	unpack grub-pc-bin "$work/grub"
	mkdir -p "$root/boot/grub"
	cp -r "$work/grub/usr/lib/grub/i386-pc" "$root/boot/grub/"

	echo 'LABEL=calque-root / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
	echo calque >"$root/etc/hostname"
	echo '127.0.0.1 localhost calque' >"$root/etc/hosts"
	# What update-grub will write again once the system runs and can see its disk.
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
	write_setup
	chmod 755 "$root/setup"
}

# /setup runs once, in the new system.
write_setup() {
	# GRUB's installer must not look for this host's disks, and asks if there is none; no service shall start.
	mkdir -p "$root/var/cache/debconf"
	cat >"$root/var/cache/debconf/config.dat" <<-'END'
		Name: grub-pc/install_devices_empty
		Template: grub-pc/install_devices_empty
		Value: true
		Flags: seen

	END
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	# Both consoles: the kernel's messages on both, a login on each (systemd starts one on the last console= by itself).
	cat >"$root/setup" <<-'END'
		#!/bin/sh
		set -e
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive
		/debootstrap/debootstrap --second-stage
		echo root:calque | chpasswd
		cat >/etc/default/grub <<GRUB
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=1
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT=""
		GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
		GRUB_TERMINAL="console serial"
		GRUB
		systemctl enable getty@tty1.service serial-getty@ttyS0.service
		apt-get clean
		rm -f /usr/sbin/policy-rc.d /setup
	END
}

# The partition table, and the file system inside it.
make_disk() {
	rm -f "$image"
	truncate -s "${megabytes}M" "$image"
	echo "start=$first_sector, type=83, bootable" | sfdisk -q --label dos "$image"
	mke2fs -q -t ext4 -L calque-root -d "$root" -E offset=$((first_sector * 512)) \
		"$image" "$((megabytes * 1024 - first_sector / 2))k"
}

# Debian's kernel with a small initramfs of its own modules: mounts the disk and runs /setup there.
setup_in_calque() {
	unpack 'linux-image-6.*' "$work/linux"
	unpack busybox-static "$work/busybox"
	mkdir -p "$work/initramfs/bin" "$work/initramfs/disk" "$work/initramfs/dev"
	version=$(basename "$work"/linux/lib/modules/*)
	depmod -b "$work/linux" "$version"
	modprobe -d "$work/linux" -S "$version" --show-depends -a ata_piix sd_mod ext4 |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$work/modules"
	xargs cp -t "$work/initramfs" <"$work/modules"
	cp "$work/busybox/bin/busybox" "$work/initramfs/bin/"
	mknod "$work/initramfs/dev/console" c 5 1
	sed 's,.*/,/,' "$work/modules" >"$work/initramfs/modules"
	cat >"$work/initramfs/init" <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t devtmpfs dev /dev
		while read -r module; do insmod "$module"; done </modules
		[ -b /dev/sda1 ] || sleep 10
		mount -t ext4 /dev/sda1 /disk
		mount -t devtmpfs dev /disk/dev # GRUB's and the initramfs's makers look for what / is on
		chroot /disk /setup && mount -o remount,ro /dev/sda1 /disk && echo SETUP-DONE
		poweroff -f
	END
	chmod 755 "$work/initramfs/init"
	(cd "$work/initramfs" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs.gz"
	timeout 3600 "$calque" -m 1024 -nographic -no-reboot -kernel "$work"/linux/boot/vmlinuz-* -initrd "$work/initramfs.gz" \
		-append "console=ttyS0 quiet panic=-1" -drive "file=$image,format=raw" </dev/null | tee "$work/log"
	grep -q SETUP-DONE "$work/log"
}

# GRUB's boot stages.  boot.img keeps the table's bytes (446 to 511); it loads sector 1, where core.img begins, whose
# first sector holds the list of the others.
install_grub() {
	grub=$work/grub/usr/lib/grub/i386-pc
	grub-mkimage -d "$grub" -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$work/core.img" biosdisk part_msdos ext2
	[ "$(stat -c %s "$work/core.img")" -le $(((first_sector - 1) * 512)) ]
	dd if="$grub/boot.img" of="$image" bs=1 count=440 conv=notrunc status=none
	dd if="$work/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
}

unpack_system
if chroot "$root" /bin/true 2>/dev/null; then
	chroot "$root" /usr/bin/env -i /setup
	unmount
	make_disk
else
	echo "debian_disk.sh: this host cannot run i386 programs: the packages configure themselves in $calque"
	make_disk
	setup_in_calque
fi
install_grub
