#!/bin/sh
# Puts pullgate in front of git repositories as their pre-receive hook, and takes it away again.
set -eu
# Everybody who pushes runs what is made here, and with CDPATH `cd` prints where it went.
umask 022
unset CDPATH

usage() {
    cat <<'END'
usage: install.sh TARGET [--binary FILE] [--config FILE] [--force] [--dry-run] [PATH...]
       install.sh TARGET --uninstall [--purge] [--dry-run] [PATH...]

TARGET         PATH is                                              the hook is
bare           a bare repository                                    hooks/pre-receive
gitea          a repository of Gitea or Forgejo                     hooks/pre-receive.d/50-pullgate
gitea-all      the folder of all of them: [repository] ROOT         that in each, and a template for new ones
gitlab         a repository of Gitaly: .../@hashed/ab/cd/....git    custom_hooks/pre-receive.d/50-pullgate
gitlab-global  Gitaly's custom_hooks_dir                            pre-receive.d/50-pullgate
               (/var/opt/gitlab/gitaly/custom_hooks)
gitolite       ~/.gitolite or LOCAL_CODE (gitolite is asked)        hooks/common/pre-receive

The program goes to ${PREFIX:-/usr/local}/bin. Twice is the same as once. Another hook in the place of pullgate's is
kept and called first; uninstalling puts it back.

  --binary FILE   install this program instead of building one with cargo
  --config FILE   have the hook use this configuration instead of <repository>/pullgate.toml
                  or /etc/pullgate/config.toml
  --force         install although another hook is in the way, which then is not called until pullgate is uninstalled
  --uninstall     take away what this script made; with --purge the program too
  --dry-run       say what would be done, and do nothing
END
}

# The table of targets: the hook that belongs to a path, and where another one that is in its place is kept.
# Gitea passes over names with a dot in front, Gitaly those with a tilde at the end.
locate() {
    case $target in
        bare) hook=$(hooks_of "$1")/pre-receive ;;
        gitea | gitea-all) hook=$1/hooks/pre-receive.d/50-pullgate ;;
        gitlab) hook=$1/custom_hooks/pre-receive.d/50-pullgate ;;
        gitlab-global) hook=$1/pre-receive.d/50-pullgate ;;
        gitolite)
            hook=$1/hooks/common/pre-receive
            [ "$asked" = yes ] || repositories=$(dirname "$1")/repositories
            ;;
    esac
    case $hook in
        */pre-receive) kept=${hook%/*}/.pre-receive.before-pullgate ;;
        *) kept=${hook%/*}/.50-pullgate.before-pullgate~ ;;
    esac
}

marker='# managed-by: pullgate' made=.made-by-pullgate

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 2; }

# Says what is about to be done; in a dry run that is all.
about_to() {
    [ "$dry_run" = no ] || { say "would $*"; return 1; }
}

# An absolute path, without asking that the file be there.
absolute() {
    case $1 in
        *'
'*) fail "a path has a line break in it" ;;
        /*) printf '%s\n' "$1" ;;
        *) printf '%s/%s\n' "$(pwd)" "$1" ;;
    esac
}

exists() { [ -e "$1" ] || [ -L "$1" ]; }
is_same() { [ "$(stat -c %d:%i "$1" 2>&1)" = "$(stat -c %d:%i "$2" 2>&1)" ]; }
is_ours() {
    if [ ! -f "$1" ] || [ -L "$1" ]; then return 1; fi
    { read -r _ && read -r line; } <"$1" 2>/dev/null || return 1
    case $line in "$marker "*) ;; *) return 1 ;; esac
}
is_foreign() { exists "$1" && ! is_ours "$1"; }

# The owner and group of what is next to it, so that the git user can read what root wrote.
own_like() {
    [ "$user" = 0 ] || return 0
    chown -h "$(stat -c %u:%g "$1")" "$2"
}

instead=''
cannot_write() {
    fail "cannot write to $1: be root or its owner, $(stat -c %U "$1")$instead; mount it writable if it is read-only"
}
check_writable() {
    folder=$1
    until exists "$folder"; do folder=$(dirname "$folder"); done
    [ -d "$folder" ] || fail "$folder is not a folder"
    # To root, ash calls everything writable: then `new_for` finds out.
    if [ ! -w "$folder" ] || [ ! -x "$folder" ]; then cannot_write "$folder"; fi
}

# `$new`, which becomes `$1` at once and whole with `put`. It lies in a folder of its own, which no git host takes for a
# hook and nobody else can have linked elsewhere. If we fail, it goes.
work=''
drop_work() {
    [ -z "$work" ] || rm -rf "$work"
    work=''
}
trap drop_work EXIT
trap 'exit 2' HUP INT TERM
new_for() {
    work=$(mktemp -d "${1%/*}/.pullgate.XXXXXX") || cannot_write "${1%/*}"
    new=$work/new
}
put() {
    mv -fT "$new" "$1"
    drop_work
}

# Makes a folder, and what it lies in, with a sign in each that it was not there before.
make_folder() {
    [ ! -d "$1" ] || return 0
    make_folder "$(dirname "$1")"
    new_for "$1"
    mkdir "$new"
    : >"$new/$made"
    own_like "$(dirname "$1")" "$new"
    own_like "$new" "$new/$made"
    # Another installation may have been faster.
    mv -T "$new" "$1" 2>/dev/null || [ -d "$1" ] || fail "cannot make $1"
    drop_work
}

# Removes a folder, and what it lies in, if we made it and nothing else is in it: at once, as it was made.
unmake_folder() {
    if [ -d "$1" ]; then
        [ "$(ls -A "$1")" = "$made" ] || return 0
        new_for "$1"
        mv -T "$1" "$new"
        rm -f "$new/$made"
        rmdir "$new" 2>/dev/null || mv -T "$new" "$1"
        drop_work
    fi
    unmake_folder "$(dirname "$1")"
}

# Leaves a folder, and the two above it, as they were before us and before installations that were killed.
tidy() {
    [ "$dry_run" = no ] || return 0
    rm -rf "$1"/.pullgate.?????? "${1%/*}"/.pullgate.?????? "${1%/*/*}"/.pullgate.??????
    unmake_folder "$1"
}

is_repository() { [ -f "$1/HEAD" ] && [ -d "$1/objects" ]; }

# Where git looks for the hooks of a repository, which has a setting.
hooks_of() {
    found=$(cd "$1" && env -u GIT_DIR git -c safe.directory='*' rev-parse --is-bare-repository --git-path hooks) ||
        fail "git cannot read $1"
    case $found in
        true*) (cd "$1" && absolute "$(printf '%s\n' "$found" | sed -n 2p)") ;;
        *) fail "$1 is not a bare repository" ;;
    esac
}

# Everything that can be known beforehand, so that nothing is begun that cannot be finished.
check() {
    case $target in
        bare | gitea | gitea-all | gitlab)
            [ -d "$1" ] || fail "there is no $1: name the folder of a bare repository"
            is_repository "$1" || fail "$1 is not a bare repository: there is no HEAD or no objects in it"
            ;;
        gitlab-global)
            parent=$(dirname "$1")
            [ -d "$parent" ] || fail "there is no $parent: name the custom_hooks_dir of Gitaly's configuration"
            ;;
        gitolite) [ -d "$1" ] || fail "there is no $1: name gitolite's ~/.gitolite or its LOCAL_CODE" ;;
    esac
    locate "$1"
    check_writable "${hook%/*}"
    [ "$target" != bare ] || check_writable "$1"
    [ "$uninstall" = no ] || return 0
    case $target in
        gitolite) check_links ;;
        gitea*) grep -qsF '.d/*' "$1/hooks/pre-receive" ||
            warn "nothing calls $hook before \`gitea admin regenerate hooks\` has run" ;;
    esac
    is_foreign "$hook" || return 0
    [ ! -d "$hook" ] || fail "$hook is a folder: put it elsewhere"
    ! exists "$kept" || is_same "$hook" "$kept" || fail "both $hook and $kept are other hooks: put one elsewhere"
    case $hook in
        */pre-receive) ;;
        *) [ "$force" = yes ] || fail "$hook is there and not pullgate's: put it elsewhere, or give --force" ;;
    esac
}

install_program() {
    if [ -z "$binary" ]; then
        command -v cargo >/dev/null 2>&1 || fail "there is no cargo to build pullgate with: give --binary FILE"
        binary=${CARGO_TARGET_DIR:-$here/target}/release/pullgate
        if about_to run "cargo build --release"; then
            cargo build --release --locked --manifest-path "$here/Cargo.toml"
        fi
    fi
    if cmp -s "$binary" "$program" && [ -x "$program" ]; then
        say "unchanged: $program"
        return
    fi
    about_to install "$binary as $program" || return 0
    # Beside it and then renamed: a push that is under way keeps the file that it started.
    make_folder "${program%/*}"
    new_for "$program"
    cp "$binary" "$new"
    chmod 0755 "$new"
    put "$program"
    say "installed: $program"
}

uninstall_program() {
    if exists "$program"; then
        about_to remove "$program" || return 0
        rm -f "$program"
        say "removed: $program"
    fi
    tidy "${program%/*}"
}

# Between single quotes, and in what sed puts in.
quoted() { printf '%s\n' "$1" | sed -e "s/'/'\\\\''/g" -e 's/[&|\\]/\\&/g'; }

hook_text() {
    options=
    [ -z "$config" ] || options=" --config '$(quoted "$config")'"
    sed -e "s|@PULLGATE@|$(quoted "$program")|g" -e "s|@OPTIONS@|$options|g" "$here/hooks/$1"
}

install_hook() {
    locate "$1"
    text=$alone other=$kept
    ! is_foreign "$hook" || other=$hook
    case $force:$hook in
        no:*/pre-receive) [ ! -x "$other" ] || text=$beside ;;
    esac
    if is_ours "$hook" && [ -x "$hook" ] && [ "$(cat "$hook")" = "$text" ]; then
        say "unchanged: $hook"
        return
    fi
    about_to write "$hook" || return 0
    make_folder "${hook%/*}"
    if is_foreign "$hook"; then
        # A second name, so that there is a hook at every moment. Another installation may be as far as this one.
        ln "$hook" "$kept" 2>/dev/null || is_same "$hook" "$kept" || is_ours "$hook" ||
            fail "cannot keep $hook as $kept"
        say "kept: $hook, as $kept"
    fi
    like=${hook%/*} mode=0755
    if is_ours "$hook" && [ -x "$hook" ]; then like=$hook mode=$(stat -c %a "$hook"); fi
    new_for "$hook"
    printf '%s\n' "$text" >"$new"
    chmod "$mode" "$new"
    own_like "$like" "$new"
    put "$hook"
    say "installed: $hook"
}

uninstall_hook() {
    locate "$1"
    if is_foreign "$hook" && is_same "$hook" "$kept"; then
        # Killed between the two names.
        about_to remove "$kept" || return 0
        rm -f "$kept"
    elif is_foreign "$hook"; then
        say "left alone, not pullgate's: $hook"
    elif exists "$kept"; then
        about_to put "$kept back as $hook" || return 0
        mv -f "$kept" "$hook"
        say "put back: $hook"
    elif ! exists "$hook"; then
        say "not installed: $hook"
    else
        [ "$target" != gitolite ] || remove_links
        about_to remove "$hook" || return 0
        rm -f "$hook"
        say "removed: $hook"
    fi
    tidy "${hook%/*}"
}

# Push options carry the bypass, and plain git does not offer them. At the end of the file our word is the last; what
# was said before stays there.
section="[receive] $marker"
setting='	advertisePushOptions = true'

offer_push_options() {
    file=$1/config
    [ "$(git config --file "$file" --type=bool receive.advertisePushOptions)" != true ] || return 0
    # Whoever owns the repository could have linked any file here.
    if [ -L "$file" ]; then warn "$file is a link: set receive.advertisePushOptions in it yourself"; return; fi
    about_to set "receive.advertisePushOptions in $file" || return 0
    new_for "$file"
    cp -p "$file" "$new"
    # Another installation may have been faster.
    if grep -qF "$section" "$new"; then drop_work; return; fi
    case $(tail -c 1 "$file") in
        '') printf '%s\n' "$section" >>"$new" ;;
        *) printf '\n%s\n' "$section, after no newline" >>"$new" ;;
    esac
    printf '%s\n' "$setting" >>"$new"
    put "$file"
    say "set: receive.advertisePushOptions in $file"
}

withdraw_push_options() {
    file=$1/config
    [ ! -L "$file" ] && grep -qF "$section" "$file" || return 0
    about_to take "receive.advertisePushOptions out of $file" || return 0
    new_for "$file"
    cp -p "$file" "$new"
    # Somebody may have written more into the section since: then that stays in one.
    awk -v section="$section" -v setting="$setting" '
        function line(text) { printf "%s%s", separator, text; separator = "\n" }
        index($0, section) == 1 { held = 1; unfinished = $0 != section; next }
        held && $0 == setting { next }
        held && $0 !~ /^[ \t]*\[/ { line("[receive]") }
        { held = 0; unfinished = 0; line($0) }
        END { if (!unfinished) printf "%s", separator }
    ' "$file" >"$new"
    put "$file"
    say "taken out: receive.advertisePushOptions of $file"
}

# The hooks of gitolite's repositories: links to the common one, or what it would replace by a link.
hooks_in_repositories() {
    [ ! -d "$repositories" ] || find "$repositories" -name objects -prune -o -path '*.git/hooks/pre-receive' -print
}
is_link_to_hook() { [ -L "$1" ] && [ "$(readlink -f "$1")" = "$(readlink -f "$hook")" ]; }

check_links() {
    [ "$force" = no ] && ! exists "$hook" || return 0
    hooks_in_repositories | while IFS= read -r own; do
        is_link_to_hook "$own" || fail "gitolite would delete $own: put that elsewhere, or give --force"
    done
}

remove_links() {
    hooks_in_repositories | while IFS= read -r link; do
        if is_link_to_hook "$link" && about_to remove "$link"; then rm -f "$link"; fi
    done
}

# Where gitolite takes common hooks from: its own folder wins over the site's.
ask_gitolite() {
    command -v gitolite >/dev/null 2>&1 ||
        fail "there is no gitolite to ask: name its ~/.gitolite or LOCAL_CODE, or run this as gitolite's user"
    path=$(gitolite query-rc GL_ADMIN_BASE)
    repositories=$(gitolite query-rc GL_REPO_BASE)
    site=$(gitolite query-rc LOCAL_CODE || :)
    [ -z "$site" ] || exists "$path/hooks/common/pre-receive" || path=$site
}

next_steps() {
    case $target in
        gitea-all) say "next: for new repositories, in app.ini, then restart:
    [git.config]
    init.templateDir = $template
Repositories that are adopted or migrated get the hook when this runs again." ;;
        gitlab) say "next: \`gitaly hooks set\` replaces all of custom_hooks: run this again after it.
In a Gitaly Cluster run this on every Gitaly node." ;;
        gitlab-global) say "next: on every Gitaly node, in gitlab.rb, then gitlab-ctl reconfigure:
    gitaly['configuration'] = { hooks: { custom_hooks_dir: '$1' } }   # beside what is configured there" ;;
        gitolite) [ "$asked" = yes ] || say "next: as gitolite's user: gitolite setup --hooks-only" ;;
    esac
    say "next: registries and credentials go into ${config:-/etc/pullgate/config.toml}, for the git user to read"
    say "next: push something; \`pullgate demo\` shows what a rejection looks like"
}

# Calls a function with each path, or with each repository in it.
for_each() {
    action=$1
    shift
    for path; do
        if [ "$target" != gitea-all ]; then
            "$action" "$path"
            continue
        fi
        [ -d "$path" ] || fail "there is no $path: name [repository] ROOT of app.ini"
        for repository in "$path"/*/*.git; do
            case $uninstall:$repository in
                # The template for new repositories gave its hook to wikis too.
                no:*.wiki.git) ;;
                *) ! is_repository "$repository" || "$action" "$repository" ;;
            esac
        done
    done
}

install_all() {
    for_each check "$@"
    instead=", or set PREFIX to a folder of your own"
    check_writable "${program%/*}"
    instead=''
    alone=$(hook_text pre-receive)
    beside=$(hook_text pre-receive-beside)
    install_program
    for_each install_hook "$@"
    case $target in
        bare) for_each offer_push_options "$@" ;;
        gitea-all) install_hook "$template" ;;
    esac
    if [ "$asked" = yes ] && about_to run "gitolite setup --hooks-only"; then gitolite setup --hooks-only; fi
    next_steps "$@"
}

uninstall_all() {
    for_each check "$@"
    case $target in
        bare) for_each withdraw_push_options "$@" ;;
        gitea-all)
            uninstall_hook "$template"
            say "next: if init.templateDir = $template stands in app.ini, take it out and restart"
            ;;
    esac
    for_each uninstall_hook "$@"
    [ "$purge" = no ] || uninstall_program
}

target='' binary='' config='' force=no dry_run=no uninstall=no purge=no
left=$#
while [ "$left" -gt 0 ]; do
    arg=$1
    shift
    left=$((left - 1))
    case $arg in
        --binary | --config)
            [ "$left" -gt 0 ] || fail "$arg needs a file"
            file=$(absolute "$1")
            [ -r "$file" ] || fail "cannot read $file"
            if [ "$arg" = --binary ]; then binary=$file; else config=$file; fi
            shift
            left=$((left - 1))
            ;;
        --force) force=yes ;;
        --dry-run) dry_run=yes ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; fail "unknown option $arg" ;;
        *)
            # The target first; then paths, which gather behind what is left to read.
            if [ -z "$target" ]; then target=$arg; else path=$(absolute "$arg"); set -- "$@" "$path"; fi
            ;;
    esac
done

[ "$purge" = no ] || [ "$uninstall" = yes ] || fail "--purge goes with --uninstall"
[ -z "$binary" ] || "$binary" --version >/dev/null 2>&1 || fail "$binary does not run on this machine"
prefix=$(absolute "${PREFIX:-/usr/local}")
program=$prefix/bin/pullgate
template=$prefix/share/pullgate/template
here=$(cd "$(dirname "$0")" && pwd)
user=$(id -u)
asked=no

case $target in
    bare | gitea | gitea-all | gitlab)
        [ "$#$uninstall" != 0no ] || fail "name at least one folder: install.sh --help says which"
        ;;
    gitlab-global) [ $# -gt 0 ] || set -- /var/opt/gitlab/gitaly/custom_hooks ;;
    gitolite) [ $# -gt 0 ] || { ask_gitolite; asked=yes; set -- "$path"; } ;;
    '') usage >&2; exit 2 ;;
    *) usage >&2; fail "unknown target $target" ;;
esac

if [ "$uninstall" = yes ]; then uninstall_all "$@"; else install_all "$@"; fi
