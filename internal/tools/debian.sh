#!/usr/bin/env bash
# Brings the Debian packages that tests (`debian.sh test`), measurements
# (`debian.sh bench`) and the virtual machine (`debian.sh wifi`) need. As root it
# installs what is missing; as anybody else it says what to run and what is
# skipped without it. It leaves no RADIUS server, access point or supplicant
# running or starting at boot that was not there before.
set -euo pipefail

# installed says whether a package is there.
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# listens says whether anybody holds UDP port 1812 (hex 0714).
listens() { cat /proc/net/udp /proc/net/udp6 2>/dev/null | awk '{ print $2 }' | grep -qi ':0714$'; }

# needs adds the package of a program that is missing. It asks for the program,
# since elsewhere than on Debian it comes from another package.
want=()
needs() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || want+=("$2"); }

case "${1:-}" in
test)
	skipped="the tests that need them are skipped"
	needs radclient freeradius-utils
	needs eapol_test eapoltest
	needs hostapd hostapd
	needs wpa_supplicant wpasupplicant
	needs ip iproute2
	needs aiosmtpd python3-aiosmtpd
	needs xmllint libxml2-utils
	needs openssl openssl
	needs chromium chromium
	;;
bench)
	skipped="the measurement runs without FreeRADIUS, and no ratio to it is given"
	want=(freeradius freeradius-rest freeradius-utils)
	;;
wifi)
	skipped="there is no virtual machine"
	needs qemu-system-x86_64 qemu-system-x86
	needs hostapd hostapd
	needs wpa_supplicant wpasupplicant
	;;
*)
	echo "usage: ${0##*/} test|bench|wifi" >&2
	exit 2
	;;
esac

missing=()
for package in "${want[@]}"; do installed "$package" || missing+=("$package"); done
[[ ${#missing[@]} -gt 0 ]] || exit 0

line="apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "tools: this is no Debian; install what it calls ${missing[*]}. Until then $skipped."
	exit 0
fi
if [[ $EUID -ne 0 ]]; then
	echo "tools: ${missing[*]} missing; run: sudo $line"
	echo "tools: until then $skipped."
	exit 0
fi

# While packages are installed, policy-rc.d forbids their services to start; a
# mask, where systemd is there, keeps them from starting at the next boot.
guard=/usr/sbin/policy-rc.d
guarded=no
held=no
listens && held=yes
unguard() { [[ $guarded == no ]] || rm -f "$guard"; }
trap unguard EXIT
if [[ ! -e $guard ]]; then
	printf '#!/bin/sh\nexit 101\n' >"$guard"
	chmod 0755 "$guard"
	guarded=yes
fi
for package in "${missing[@]}"; do
	if [[ $package == freeradius || $package == hostapd ]] && command -v systemctl >/dev/null; then
		systemctl mask "$package.service" >/dev/null 2>&1 || echo "tools: $package.service can't be masked; look whether it starts at boot" >&2
	fi
done

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
echo "tools: installing ${missing[*]}"
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
	tail -n 5 "$log" >&2
	rm -f "$log"
	echo "tools: ${missing[*]} can't be installed; run: $line" >&2
	echo "tools: until then $skipped." >&2
	exit 0
fi
rm -f "$log"
for package in "${missing[@]}"; do
	if [[ $package == freeradius || $package == hostapd ]] && command -v update-rc.d >/dev/null; then
		update-rc.d "$package" disable >/dev/null 2>&1 || echo "tools: look whether $package starts at boot" >&2
	fi
	# Not masked: who joins a Wi-Fi with this machine later switches it on again.
	if [[ $package == wpasupplicant ]] && command -v systemctl >/dev/null; then
		systemctl disable wpa_supplicant.service >/dev/null 2>&1 || echo "tools: look whether wpa_supplicant starts at boot" >&2
	fi
done

if [[ $held == no ]] && listens; then
	echo "tools: installing ${missing[*]} left a server on UDP port 1812; stop it: systemctl stop freeradius" >&2
	exit 1
fi
