#!/bin/sh
# Puts pullgate in front of git repositories as their pre-receive hook, and takes it away again.
set -eu
# Everybody who pushes runs what is made here, and with CDPATH `cd` prints where it went.
umask 022
unset CDPATH

usage() {
    cat <<'EOF'
usage: install.sh bare [--binary FILE] [--config FILE] [--dry-run] REPOSITORY...
       install.sh bare --uninstall [--purge] [--dry-run] [REPOSITORY...]

Installs the binary into ${PREFIX:-/usr/local}/bin and a pre-receive hook into each bare repository.
Twice is the same as once; a hook that pullgate did not write is never touched.

  --binary FILE   install this binary instead of building one with cargo
  --config FILE   have the hook use this configuration instead of <repository>/pullgate.toml
                  or /etc/pullgate/config.toml
  --uninstall     remove the hooks that this script wrote; with --purge the binary too
  --dry-run       say what would be done, and do nothing
EOF
}

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 2; }

# An absolute path, without asking that the file be there.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s/%s\n' "$(pwd)" "$1" ;;
    esac
}

here=$(cd "$(dirname "$0")" && pwd)
bin_dir=$(absolute "${PREFIX:-/usr/local}")/bin
installed=$bin_dir/pullgate
marker='# managed-by: pullgate'

# The paths end up between single quotes in the hook, and in a sed replacement.
check_path() {
    case $1 in
        *"'"* | *'|'* | *'&'* | *\\* | *'
'*) fail "cannot use $1: the path has a quote, a bar, an ampersand, a backslash or a line break in it" ;;
    esac
}

# Runs a command, or says that it would.
act() {
    if [ "$dry_run" = yes ]; then
        say "would run: $*"
    else
        "$@"
    fi
}

is_ours() { [ -f "$1" ] && grep -qF "$marker" "$1"; }

# The owner and group of what is next to it, so that the git user can read what root wrote.
own_like() {
    [ "$(id -u)" = 0 ] || return 0
    chown -h "$(stat -c %u:%g "$1")" "$2"
}

# Makes the file `$new`, by a name that whoever owns the folder cannot have linked elsewhere. It goes if we fail.
new=''
trap '[ -z "$new" ] || rm -f "$new"' EXIT
trap 'exit 2' HUP INT TERM
new_beside() { new=$(mktemp "$1.new.XXXXXX"); }

hooks_dir() {
    [ -d "$1" ] || fail "there is no $1"
    found=$(cd "$1" && env -u GIT_DIR git -c safe.directory='*' rev-parse --is-bare-repository --git-path hooks 2>/dev/null) ||
        fail "$1 is not a git repository"
    case $found in
        true*) ;;
        *) fail "$1 is not a bare repository" ;;
    esac
    (cd "$1" && absolute "$(printf '%s\n' "$found" | sed -n 2p)")
}

install_binary() {
    if [ -z "$binary" ]; then
        command -v cargo >/dev/null 2>&1 || fail "there is no cargo to build pullgate with: give --binary FILE"
        act cargo build --release --locked --manifest-path "$here/Cargo.toml"
        binary=${CARGO_TARGET_DIR:-$here/target}/release/pullgate
    fi
    if [ "$dry_run" = yes ]; then
        say "would install $binary as $installed"
        return
    fi
    [ -f "$binary" ] || fail "there is no $binary"
    [ -x "$binary" ] || fail "$binary is not executable"
    if [ -x "$installed" ] && cmp -s "$binary" "$installed"; then
        say "unchanged: $installed"
        return
    fi
    mkdir -p "$bin_dir"
    # Beside it and then renamed: a push that is under way keeps the file that it started.
    new_beside "$installed"
    cp "$binary" "$new"
    chmod 0755 "$new"
    mv -f "$new" "$installed"
    say "installed: $installed"
}

install_hook() {
    dir=$(hooks_dir "$1")
    hook=$dir/pre-receive
    if { [ -e "$hook" ] || [ -L "$hook" ]; } && ! is_ours "$hook"; then
        fail "$hook is there and not pullgate's. Nothing was changed there. Call \`$installed pre-receive\` from it, with its standard input"
    fi
    options=
    [ -z "$config" ] || options=" --config '$config'"
    text=$(sed -e "s|@PULLGATE@|$installed|g" -e "s|@OPTIONS@|$options|g" "$here/hooks/pre-receive")
    if is_ours "$hook" && [ -x "$hook" ] && [ "$(cat "$hook")" = "$text" ]; then
        say "unchanged: $hook"
        return
    fi
    if [ "$dry_run" = yes ]; then
        say "would write $hook"
        return
    fi
    [ -d "$dir" ] || { mkdir -p "$dir" && own_like "$1" "$dir"; }
    new_beside "$hook"
    printf '%s\n' "$text" >"$new"
    chmod 0755 "$new"
    own_like "$1" "$new"
    mv -f "$new" "$hook"
    say "installed: $hook"
}

uninstall_hook() {
    hook=$(hooks_dir "$1")/pre-receive
    if is_ours "$hook"; then
        act rm -f "$hook"
        [ "$dry_run" = yes ] || say "removed: $hook"
    elif [ -e "$hook" ]; then
        say "left alone, not pullgate's: $hook"
    else
        say "not installed: $hook"
    fi
}

target='' binary='' config='' dry_run=no uninstall=no purge=no
left=$#
while [ "$left" -gt 0 ]; do
    arg=$1
    shift
    left=$((left - 1))
    case $arg in
        --binary | --config)
            [ "$left" -gt 0 ] || fail "$arg needs a file"
            path=$(absolute "$1")
            check_path "$path"
            if [ "$arg" = --binary ]; then binary=$path; else config=$path; fi
            shift
            left=$((left - 1))
            ;;
        --dry-run) dry_run=yes ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; fail "unknown option $arg" ;;
        *)
            # The target first; then repositories, which gather behind what is left to read.
            if [ -z "$target" ]; then target=$arg; else set -- "$@" "$arg"; fi
            ;;
    esac
done

case $target in
    bare) ;;
    '') usage >&2; exit 2 ;;
    *) usage >&2; fail "unknown target $target" ;;
esac
[ "$purge" = no ] || [ "$uninstall" = yes ] || fail "--purge goes with --uninstall"
[ -z "$config" ] || [ -r "$config" ] || fail "cannot read $config"
check_path "$installed"

if [ "$uninstall" = yes ]; then
    for repository; do uninstall_hook "$repository"; done
    if [ "$purge" = yes ]; then
        act rm -f "$installed"
        [ "$dry_run" = yes ] || say "removed: $installed"
    fi
    exit 0
fi

[ $# -gt 0 ] || fail "name at least one bare repository"
# Every repository is looked at before anything is written.
for repository; do hooks_dir "$repository" >/dev/null; done
install_binary
for repository; do install_hook "$repository"; done
say "next: push something; \`pullgate demo\` shows what a rejection looks like"
