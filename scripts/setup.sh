#!/bin/sh
# Makes .venv/ with everything in it, and nothing outside it but Debian packages that are missing.
#
# A script and not a recipe of the Makefile, because it has to look before it leaps: Debian's python3 comes without
# venv, and only root may install it. Idempotent; when nothing changed it ends at once.
#
#   scripts/setup.sh            the environment (make setup)
#   scripts/setup.sh servers    the servers that the integration tests start (make test)
#
# PYTHON=/path/to/python3.11 chooses the interpreter (3.11 or later). Exit 2: something is missing and only an
# administrator may install it; the one line that does it is printed.
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
VENV=.venv
STAMP=$VENV/.complete

say() { printf 'setup: %s\n' "$*" >&2; }

# install_debian WHAT-FOR PACKAGE...: installs as root, else prints the line to run and exits 2.
install_debian() {
    purpose=$1
    shift
    if ! command -v apt-get >/dev/null 2>&1; then
        say "$purpose is missing. Install the equivalent of: $*"
        exit 2
    fi
    if [ "$(id -u)" -ne 0 ]; then
        say "$purpose is missing. Run this once, then try again:"
        printf '    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "$*" >&2
        exit 2
    fi
    say "installing $* ($purpose)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    if ! command -v "$PYTHON" >/dev/null 2>&1; then
        install_debian "Python 3.11 or later" python3 python3-venv
    fi
    if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "$PYTHON is too old: Python 3.11 or later is needed. Choose one with PYTHON=/path/to/python3.11"
        exit 2
    fi
    # Debian splits venv off: without python3-venv, ensurepip is not there.
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        install_debian "python3-venv (to make $VENV)" python3-venv
    fi
}

fingerprint() {
    cat requirements.lock pyproject.toml scripts/setup.sh | sha256sum
    pwd
}

make_environment() {
    if [ -f "$STAMP" ] && [ "$(fingerprint)" = "$(cat "$STAMP")" ] && "$VENV/bin/python" -c 'import gateway' 2>/dev/null; then
        return
    fi
    find_python
    # A copied or moved environment has the old place in its scripts; one whose Python went away starts no more.
    if [ -d "$VENV" ] && ! { "$VENV/bin/python" -c '' && head -1 "$VENV/bin/pip" | grep -qF "$(pwd)/"; } 2>/dev/null; then
        rm -rf "$VENV"
    fi
    [ -d "$VENV" ] || "$PYTHON" -m venv "$VENV"
    say "installing the locked packages into $VENV (two minutes the first time)"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary dkimpy --require-hashes -r requirements.lock
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    "$VENV/bin/python" -m compileall -q gateway >/dev/null || true
    fingerprint >"$STAMP"
    say "ready: $VENV/bin/practicum-gateway"
}

# Debian's postfix starts itself when it is installed; "Local only" keeps that instance on loopback. The tests start
# private instances with a configuration and queue of their own. Who may not install packages is told the line, and the
# tests that need a server skip with a clear word (in CI they fail).
install_servers() {
    missing=
    [ -x /usr/sbin/postfix ] || missing="$missing postfix"
    perl -MMail::DKIM::Verifier -e 1 2>/dev/null || missing="$missing libmail-dkim-perl"
    [ -x /usr/sbin/opendkim ] || missing="$missing opendkim"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ] && command -v debconf-set-selections >/dev/null 2>&1; then
        echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
        echo "postfix postfix/mailname string localhost" | debconf-set-selections
    fi
    # shellcheck disable=SC2086 -- a list of package names
    if [ "$(id -u)" -eq 0 ] || [ -n "${CI:-}" ]; then
        install_debian "what the integration tests start or compare with" $missing
    else
        (install_debian "what the integration tests start or compare with" $missing) || true
    fi
}

case ${1:-environment} in
environment) make_environment ;;
servers) install_servers ;;
*)
    say "unknown word: $1 (environment or servers)"
    exit 2
    ;;
esac
