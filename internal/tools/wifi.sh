#!/usr/bin/env bash
# Boots a virtual machine with two simulated radios and joins a WPA2- and a
# WPA3-Enterprise network in it: hostapd, wpa_supplicant, our server, the 4-way
# handshake and all (`make wifi`). The processor is emulated, so it needs no KVM
# and no root; Debian's kernel and busybox are fetched into a temporary folder
# and installed nowhere. wifi/init is what happens inside.
set -euo pipefail
cd "$(dirname "$0")/../.."

# limit is how many seconds the machine may run. Emulated it takes about 40.
limit=${WIFI_LIMIT:-300}
arch=amd64

fail() {
	echo "wifi: $*" >&2
	exit 1
}

[[ $(uname -m) == x86_64 ]] || fail "the machine is an amd64 one, and so must this one be: it runs this one's hostapd"
# What is missing, and the packages that have it.
missing=()
command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
PATH=$PATH:/usr/sbin:/sbin
command -v hostapd >/dev/null || missing+=(hostapd)
command -v wpa_supplicant >/dev/null && command -v wpa_cli >/dev/null || missing+=(wpasupplicant)
for program in apt-get dpkg-deb ldd timeout; do
	command -v "$program" >/dev/null || fail "$program is missing: this runs on Debian and its children"
done
[[ ${#missing[@]} -eq 0 ]] || fail "missing; run: sudo apt-get install --no-install-recommends ${missing[*]}"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/root
mkdir -p "$dir/debian" "$root"/{bin,dev,etc,lib/modules,proc,run,srv,sys,tmp,var/run}

# fetch unpacks Debian packages beside, without installing them.
fetch() {
	(cd "$dir/debian" && apt-get download "$@" >"$dir/apt.log" 2>&1) ||
		fail "the mirror does not give $* (apt-get update first?): $(tail -n 2 "$dir/apt.log")"
	local package
	for package in "$dir"/debian/*.deb; do
		dpkg-deb -x "$package" "$dir/debian" && rm "$package"
	done
}

# bring copies a program and every library that it loads.
bring() {
	local path=$1 library
	cp -L "$path" "$root/bin/"
	ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root${library%/*}"
		cp -Ln "$library" "$root$library"
	done
}

echo "wifi: fetching Debian's kernel and busybox"
kernel=$(apt-cache depends "linux-image-$arch" | awk '/Depends: linux-image-/ { print $2; exit }')
[[ -n $kernel ]] || fail "the package linux-image-$arch is unknown; run: sudo apt-get update"
fetch "$kernel" busybox-static
busybox=$(find "$dir/debian" -type f -path '*/bin/busybox' | head -n 1)
modules=$(find "$dir/debian" -type d -path '*/lib/modules/*' -name '[0-9]*' | head -n 1)
vmlinuz=$(find "$dir/debian" -type f -name 'vmlinuz-*' | head -n 1)
[[ -n $busybox && -n $modules && -n $vmlinuz ]] || fail "the packages are made otherwise than this script knows"

echo "wifi: building the machine"
cp "$busybox" "$root/bin/busybox"
release=${modules##*/}
for part in net/mac80211 net/wireless net/rfkill drivers/virtio lib crypto arch/x86/crypto; do
	mkdir -p "$root/lib/modules/$release/kernel/$part"
	cp -r "$modules/kernel/$part/." "$root/lib/modules/$release/kernel/$part/" 2>/dev/null || true # some are built in
done
find "$modules" -name 'mac80211_hwsim.ko*' -exec cp {} "$root/lib/modules/$release/kernel/" \;
cp "$modules"/modules.{builtin,order} "$root/lib/modules/$release/"
"$busybox" depmod -b "$root" "$release"

for program in hostapd wpa_supplicant wpa_cli; do bring "$(command -v $program)"; done
# MD4, without which there is no MS-CHAPv2, is in OpenSSL's provider of old things.
legacy=$(find /usr/lib -path '*/ossl-modules/legacy.so' | head -n 1)
if [[ -n $legacy ]]; then
	mkdir -p "$root${legacy%/*}"
	cp "$legacy" "$root$legacy"
fi
CGO_ENABLED=0 "${GO:-go}" build -o "$root/bin/memberradius" ./cmd/memberradius
cp internal/tools/wifi/{config.toml,members.toml,hostapd.conf} "$root/srv/"
install -m 0755 internal/tools/wifi/init "$root/init"
(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$dir/initrd"

echo "wifi: booting ${release} (emulated; at most ${limit} s)"
began=$SECONDS
timeout --kill-after=5 "$limit" qemu-system-x86_64 -accel tcg -cpu max -m 768 -smp 2 \
	-kernel "$vmlinuz" -initrd "$dir/initrd" -append 'console=ttyS0 quiet panic=-1 random.trust_cpu=on' \
	-nic none -display none -monitor none -serial stdio -no-reboot </dev/null >"$dir/console" 2>&1 || true
tr -d '\r' <"$dir/console" | grep -a '^wifi: ' || true
if ! grep -aq '^wifi: ALL PASS' "$dir/console"; then
	[[ -z ${WIFI_CONSOLE:-} ]] || cp "$dir/console" "$WIFI_CONSOLE"
	tail -n 60 "$dir/console" >&2
	echo "wifi: FAIL after $((SECONDS - began)) s; WIFI_CONSOLE=FILE keeps all that the machine said" >&2
	exit 1
fi
echo "wifi: PASS, $((SECONDS - began)) s"
