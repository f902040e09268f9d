//! Servers to install on: folders as the git hosts lay them out, and everything that can be seen of a folder.
use crate::world::World;
use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// An image that is there goes through, one that is not does not.
#[track_caller]
pub(super) fn judges(world: &World) {
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("there").accepted();
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["not found", "app.yaml:11:18"]);
}

/// A world whose repository has no hook yet.
pub(super) fn plain() -> World {
    let world = World::new();
    let removed = world.install(&["bare", "--uninstall", "fleet.git"]);
    assert!(removed.is_accepted && !world.bare().join("hooks/pre-receive").exists(), "{}", removed.text);
    world
}

/// With the hooks that Gitea writes into a repository. They run all of a folder, and the first that fails decides.
pub(super) fn gitea() -> World {
    let world = plain();
    delegate(&world.bare());
    world
}

/// Writes Gitea's hooks into a repository.
pub(super) fn delegate(repository: &Path) {
    script(
        &repository.join("hooks/pre-receive"),
        "#!/bin/sh\n\
         lines=$(cat)\n\
         first=0\n\
         for each in \"${GIT_DIR:-.}\"/hooks/pre-receive.d/*; do\n\
         [ -x \"$each\" ] && [ -f \"$each\" ] || continue\n\
         echo \"$lines\" | \"$each\"\n\
         code=$?\n\
         [ \"$first\" != 0 ] || first=$code\n\
         done\n\
         exit \"$first\"\n",
    );
    script(&repository.join("hooks/pre-receive.d/gitea"), "#!/bin/sh\ncat >/dev/null\nexit \"${GITEA_SAYS:-0}\"\n");
}

/// With what Gitaly does in place of git's hooks: the repository's custom hooks, then those of `custom_hooks_dir`, each
/// with an environment of its own, up to the first that fails.
pub(super) fn gitaly() -> World {
    let world = plain();
    let repository = world.bare();
    let text = format!(
        "#!/bin/sh\n\
         lines=$(cat)\n\
         for each in custom_hooks/pre-receive custom_hooks/pre-receive.d/.[!.]* custom_hooks/pre-receive.d/* \
         '{global}'/pre-receive.d/.[!.]* '{global}'/pre-receive.d/*; do\n\
         case $each in *~) continue ;; esac\n\
         [ -x \"$each\" ] && [ ! -d \"$each\" ] || continue\n\
         printf '%s\\n' \"$lines\" | env -i PATH=/usr/bin:/bin HOME=/nonexistent TZ=UTC GIT_DIR='{repository}' \
         GIT_OBJECT_DIRECTORY=\"$GIT_OBJECT_DIRECTORY\" \
         GIT_ALTERNATE_OBJECT_DIRECTORIES=\"$GIT_ALTERNATE_OBJECT_DIRECTORIES\" \
         GL_ID=user-1 GL_USERNAME=ada GL_PROTOCOL=ssh GL_REPOSITORY=project-1 GL_PROJECT_PATH=platform/fleet \
         \"$each\" || exit 1\n\
         done\n",
        global = world.path().join("custom_hooks").display(),
        repository = repository.display(),
    );
    script(&repository.join("hooks/pre-receive"), &text);
    world
}

/// A hook of somebody else: it says `word` and ends with `code`.
pub(super) fn foreign(path: &Path, word: &str, code: i32) {
    script(path, &format!("#!/bin/sh\ncat >/dev/null\necho {word}\nexit {code}\n"));
}

pub(super) fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a script is in a folder")).expect("the folder is ours");
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

/// Runs install.sh, which succeeds; what it said.
pub(super) fn install(world: &World, args: &[&str]) -> String {
    let output = world.install(args);
    assert!(output.is_accepted, "{}", output.text);
    output.text
}

/// A program that costs no time to copy.
pub(super) const PROGRAM: &str = "#!/bin/sh\nexit 0\n";

/// install.sh in a world, with [`PROGRAM`] unless there is another `program`, and a prefix that is not there yet.
pub(super) fn installation(world: &World, args: &[&str]) -> Command {
    let program = world.path().join("program");
    if !program.exists() {
        script(&program, PROGRAM);
    }
    let mut command = Command::new("sh");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).args(args).arg("--binary").arg(program);
    command.current_dir(world.path()).env("PREFIX", world.path().join("own"));
    command
}

pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Everything below a folder: kinds, modes, owners, contents.
#[derive(PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<PathBuf, String>);

impl Listing {
    pub(super) fn of(folder: &Path) -> Self {
        let mut found = BTreeMap::new();
        list(folder, &mut found);
        Self(found)
    }

    #[track_caller]
    pub(super) fn is(&self, other: &Self) {
        let differs = |path: &&PathBuf| self.0.get(*path) != other.0.get(*path);
        let differences: Vec<_> = self.0.keys().chain(other.0.keys()).filter(differs).collect();
        let shown = |path: &PathBuf| (path.clone(), self.0.get(path).cloned(), other.0.get(path).cloned());
        assert!(differences.is_empty(), "{:#?}", differences.into_iter().map(shown).collect::<Vec<_>>());
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

fn list(path: &Path, found: &mut BTreeMap<PathBuf, String>) {
    let about = fs::symlink_metadata(path).expect("the folder is readable");
    let content = if about.is_symlink() {
        format!("-> {}", fs::read_link(path).expect("it is a link").display())
    } else if about.is_dir() {
        for entry in fs::read_dir(path).expect("the folder is readable") {
            list(&entry.expect("the folder is readable").path(), found);
        }
        "folder".to_owned()
    } else if about.len() > 1 << 20 {
        // The program; its whole content would cost time.
        format!("{} bytes", about.len())
    } else {
        fs::read(path).expect("the file is readable").escape_ascii().to_string()
    };
    found.insert(path.to_owned(), format!("{:o} {}:{} {content}", about.mode(), about.uid(), about.gid()));
}
