#!/usr/bin/env bash
# Brings the Debian packages that tests (`debian.sh test`) and measurements
# (`debian.sh bench`) compare us with. As root it installs what is missing; as
# anybody else it says what to run and what is skipped without it. It leaves no
# RADIUS server running or starting at boot that was not there before.
set -euo pipefail

# installed says whether a package is there.
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# listens says whether anybody holds UDP port 1812 (hex 0714).
listens() { cat /proc/net/udp /proc/net/udp6 2>/dev/null | awk '{ print $2 }' | grep -qi ':0714$'; }

case "${1:-}" in
test) want=(freeradius-utils) skipped="the tests that speak to radclient are skipped" ;;
bench) want=(freeradius freeradius-rest freeradius-utils) skipped="the measurement runs without FreeRADIUS, and no ratio to it is given" ;;
*)
	echo "usage: ${0##*/} test|bench" >&2
	exit 2
	;;
esac

# Elsewhere the same programs come from other packages.
[[ $1 == test ]] && command -v radclient >/dev/null && exit 0

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
	if [[ $package == freeradius ]] && command -v systemctl >/dev/null; then
		systemctl mask freeradius.service >/dev/null 2>&1 || echo "tools: freeradius.service can't be masked; look whether it starts at boot" >&2
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
if [[ " ${missing[*]} " == *" freeradius "* ]] && command -v update-rc.d >/dev/null; then
	update-rc.d freeradius disable >/dev/null 2>&1 || echo "tools: look whether freeradius starts at boot" >&2
fi

if [[ $held == no ]] && listens; then
	echo "tools: installing ${missing[*]} left a server on UDP port 1812; stop it: systemctl stop freeradius" >&2
	exit 1
fi
