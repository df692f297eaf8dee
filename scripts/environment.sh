# The private environment in .venv, for scripts/demo and scripts/test. Sourced, not run.
#
# Both commands share one environment, so that what the demo shows is what the tests tested,
# and a machine that ran one of them is ready for the other.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment=$root/.venv
cd "$root" || exit 1

say() { printf '%s\n' "$*"; }

heading() { printf '\n== %s\n' "$*"; }

# One sentence, and out.
stop() {
    printf 'Stopped: %s\n' "$*" >&2
    exit 1
}

# The first Python that is new enough; GRIDMAP_PYTHON names another.
find_python() {
    local candidate
    for candidate in ${GRIDMAP_PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    stop "gridmap needs Python 3.11 or newer and found none under the names" \
        "${GRIDMAP_PYTHON:-python3 and python3.11 to python3.14}. On Debian:" \
        "apt-get install python3 python3-venv"
}

# What decides whether an environment still fits: its place, its Python, what it must hold.
fingerprint() {
    { printf '%s\n' "$root" "${GRIDMAP_PYTHON:-}"; "$environment/bin/python" --version 2>&1
        cat setup.cfg pyproject.toml; } | sha256sum | cut -d ' ' -f 1
}

# make_environment [EXTRAS]: see that .venv holds gridmap and its extras. The file .venv/ready
# says what it was made from; an environment that already holds more than is asked is kept.
make_environment() {
    local extras=${1:-} made="" held="" began=$SECONDS
    read -r made held 2>/dev/null <"$environment/ready"
    if [ "$made" != "$(fingerprint)" ]; then
        make_venv
    elif [ -z "$extras" ] || [ "$extras" = "$held" ]; then
        say "The private environment .venv is up to date."
        return
    fi
    rm -f "$environment/ready"
    install_gridmap "$extras"
    say "The environment took $((SECONDS - began)) s."
    printf '%s %s\n' "$(fingerprint)" "$extras" >"$environment/ready"
}

make_venv() {
    local python
    python=$(find_python) || exit 1
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "Python has no module to make a private environment. On Debian:" \
            "apt-get install python3-venv"
    say "Making the private environment .venv with $("$python" --version) ..."
    "$python" -m venv --clear "$environment" ||
        stop "the private environment $environment could not be made: is the disk full, or the" \
            "folder not yours?"
}

install_gridmap() {
    local extras=$1 log=$environment/install.log
    say "Installing gridmap${extras:+ with its extras $extras} and all it needs ..."
    "$environment/bin/python" -m pip install --disable-pip-version-check --no-input --retries 2 \
        --editable ".${extras:+[$extras]}" >"$log" 2>&1 || {
        grep -i '^ *error' "$log" | tail -n 3 >&2
        stop "packages could not be installed: is there a network, and does it reach the Python" \
            "package index? The whole story is in .venv/install.log"
    }
    sed -n 's/^Successfully installed /Installed: /p' "$log" | fold -s -w 98
}
