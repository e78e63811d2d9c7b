#!/bin/sh
# Installs what pip cannot bring, where that is allowed; otherwise names the one command to type.
# Usage: tools/system_packages.sh COMMAND...
set -eu

# Whether a command is there; of Chromium any build will do.
there() {
    case "$1" in
        chromium)
            for name in chromium-headless-shell chromium chromium-browser google-chrome; do
                command -v "$name" >/dev/null 2>&1 && return 0
            done
            return 1 ;;
        *) PATH="$PATH:$HOME/.cargo/bin" command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=""
for command in "$@"; do
    there "$command" && continue
    case "$command" in
        chromium) missing="$missing chromium-headless-shell" ;;
        bwrap) missing="$missing bubblewrap" ;;
        ssh-keygen) missing="$missing openssh-client" ;;
        *) missing="$missing $command" ;;
    esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    sudo="none"
fi
if [ "$sudo" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "needed and not installed:$missing" >&2
    echo "  next: sudo apt-get install --yes$missing    (or your system's packages of those names)" >&2
    exit 3
fi
echo "installing:$missing"
# A stale package list makes the install fail, so the list is refreshed on the second try only.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install --yes --quiet --no-install-recommends $missing >/dev/null 2>&1 || {
    $sudo apt-get update --quiet >/dev/null
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install --yes --quiet --no-install-recommends $missing >/dev/null
}
