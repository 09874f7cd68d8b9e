#!/bin/bash
# Installs what the tests need beyond Python: with apt where we are root, and otherwise says what is missing.
set -euo pipefail

missing=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v msgfmt >/dev/null || missing+=(gettext)
# Screenshots of the Arabic pages show empty boxes without a font that has the letters.
fc-list ':lang=ar' 2>/dev/null | grep -q . || missing+=(fontconfig fonts-noto-core)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing: ${missing[*]}. Tests that need them are skipped; install them with: sudo apt-get install ${missing[*]}" >&2
  exit 0
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own; the packages' shall neither be made nor started.
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
fi
apt-get -qq update
RUNLEVEL=1 apt-get -qq install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
