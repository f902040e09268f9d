//! What the hook costs a push that changes no image, with git's own diff of the same push as the measure.
use crate::{git_command::git, tools::pass_over};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Directories, and files in each: 20,000 files together.
const FILES: (usize, usize) = (2_000, 10);
/// Odd, for the median; the two commands take turns, so a busy moment of the machine falls on both.
const ROUNDS: usize = 51;

/// A push that waits in its quarantine.
struct Push {
    bare: PathBuf,
    quarantine: PathBuf,
    old: String,
    new: String,
    _folder: TempDir,
}

#[test]
fn a_push_without_images_costs_at_most_three_times_what_git_takes_to_diff_it() {
    let Some(pullgate) = release_build() else {
        return pass_over("there is no release build beside the test; tests/run makes one");
    };
    let push = Push::of_a_readme();
    let turn = |_| (push.hook(&pullgate), push.diff());
    let _ = turn(0);
    let (hook, diff): (Vec<Duration>, Vec<Duration>) = (0..ROUNDS).map(turn).unzip();
    let (hook, diff) = (median(hook), median(diff));
    assert!(hook <= 3 * diff, "the hook takes {hook:?}, git diff-tree {diff:?}");
}

/// What users run: a debug build takes three to five times as long to start, which says nothing of it.
pub(crate) fn release_build() -> Option<PathBuf> {
    let profiles = Path::new(env!("CARGO_BIN_EXE_pullgate")).ancestors().nth(2)?;
    Some(profiles.join("release/pullgate")).filter(|path| path.exists())
}

impl Push {
    /// Of a commit that changes one file which is no manifest.
    fn of_a_readme() -> Self {
        let folder = TempDir::new().expect("the folder for temporary files is writable");
        let (bare, quarantine) = (folder.path().join("fleet.git"), folder.path().join("quarantine"));
        fs::create_dir(&quarantine).expect("the folder is writable");
        git(folder.path()).args(["init", "-q", "--bare", "-b", "main", "fleet.git"]).ok();
        git(&bare).args(["fast-import", "--quiet"]).input(history()).ok();
        let configuration = "[registries.\"127.0.0.1:5055\"]\nplain-http = true\nprivate = true\n";
        fs::write(bare.join("pullgate.toml"), configuration).expect("the folder is writable");
        let old = git(&bare).args(["rev-parse", "main"]).output();
        let mut push = Self { bare, quarantine, old, new: String::new(), _folder: folder };
        let root = git(&push.bare).args(["ls-tree", "main"]).output();
        let readme = push.write(&["hash-object", "-w", "--stdin"], "Changed.\n");
        let was = git(&push.bare).args(["rev-parse", "main:README.md"]).output();
        let tree = push.write(&["mktree"], &root.replace(&was, &readme));
        push.new = push.write(&["commit-tree", &tree, "-p", "main", "-m", "Change the README"], "");
        push
    }

    /// What `git <args>` writes into the quarantine.
    fn write(&self, args: &[&str], input: &str) -> String {
        let command = git(&self.bare).args(args).input(input).env("GIT_OBJECT_DIRECTORY", &self.quarantine);
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.bare.join("objects")).output()
    }

    fn hook(&self, pullgate: &Path) -> Duration {
        let input = self.bare.join("updates");
        fs::write(&input, format!("{} {} refs/heads/main\n", self.old, self.new)).expect("the folder is writable");
        let mut hook = self.command(pullgate, &["pre-receive"]);
        // Whoever loaded roots of trust would complain of it.
        hook.env("SSL_CERT_FILE", "/nowhere/roots.pem").stdin(fs::File::open(input).expect("it was just written"));
        timed(&mut hook)
    }

    fn diff(&self) -> Duration {
        timed(&mut self.command("git", &["diff-tree", "-r", &self.old, &self.new]))
    }

    /// A command in the environment that git makes for a hook.
    fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(args).current_dir(&self.bare).stdout(Stdio::null());
        command.env("GIT_DIR", ".").env("GIT_OBJECT_DIRECTORY", &self.quarantine);
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.bare.join("objects"));
        command
    }
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().expect("the program is there");
    let elapsed = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// One commit on `main`, as `git fast-import` reads it.
fn history() -> String {
    let mut text = String::from("commit refs/heads/main\ncommitter Ada <ada@example.com> 1767323045 +0000\ndata 0\n");
    let mut file = |path: &str, content: &str| {
        write!(text, "M 100644 inline {path}\ndata {}\n{content}\n", content.len())
            .expect("a string can be written to");
    };
    file("README.md", "A fleet.\n");
    for directory in 0..FILES.0 {
        file(&format!("apps/{directory}/kustomization.yaml"), "resources:\n  - 1.yaml\n");
        for number in 1..FILES.1 {
            let manifest = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{directory}-{number}\n");
            file(&format!("apps/{directory}/{number}.yaml"), &manifest);
        }
    }
    text
}
