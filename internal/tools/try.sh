#!/usr/bin/env bash
# Says what to try against the example configuration and starts the server on
# it. A port that is taken is the server's to explain: it names who holds it.
set -euo pipefail
program=$1
config=$2

cat <<'TRY'
Bob of testdata/members.toml may come in. Try it from another terminal, in this folder:

  printf 'User-Name = bob@example.com\nUser-Password = hello\nMessage-Authenticator = 0x00\n' | radclient -x 127.0.0.1:1812 auth only-for-trying-it-out

(radclient is in Debian's freeradius-utils, which `make tools` installs. Without it:
 echo hello | bin/memberradius test bob@example.com --config config.toml.example. Ctrl-C stops the server.)

TRY
exec "$program" serve --config "$config"
