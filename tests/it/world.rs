//! A world to push in: a bare repository with the hook put there by install.sh, a clone, and a registry.
use crate::git_command::{Git, git};
use pullgate::lab::{self, Registry};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    folder: TempDir,
    pub(crate) registry: Registry,
}

/// How a push ended.
#[must_use = "say whether it was accepted, or what it said"]
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) is_accepted: bool,
    /// What git printed, without the spaces that it adds at the ends of lines.
    pub(crate) text: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::made(&["init", "-q", "--bare", "-b", "main"])
    }

    /// With the bare repository made by `git <init>`.
    pub(crate) fn made(init: &[&str]) -> Self {
        let folder = TempDir::new().expect("the folder for temporary files is writable");
        let registry = Registry::start(lab::Options::default()).expect("a port of the loopback address is free");
        let world = Self { folder, registry };
        git(world.path()).args(init).args(["fleet.git"]).ok();
        let installed = world.install(&["bare", "fleet.git"]);
        assert!(installed.is_accepted, "{}", installed.text);
        world.configure("");
        git(world.path()).args(["clone", "-q", "fleet.git", "clone"]).ok();
        git(&world.clone_dir()).args(["symbolic-ref", "HEAD", "refs/heads/main"]).ok();
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.path().join("fleet.git")
    }

    pub(crate) fn clone_dir(&self) -> PathBuf {
        self.path().join("clone")
    }

    /// git in the clone.
    pub(crate) fn git(&self, args: &[&str]) -> Git {
        git(&self.clone_dir()).args(args)
    }

    /// Runs install.sh with the binary under test.
    pub(crate) fn install(&self, args: &[&str]) -> Push {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
        let mut command = Command::new("sh");
        command.arg(script).args(args).args(["--binary", env!("CARGO_BIN_EXE_pullgate")]);
        command.current_dir(self.path()).env("PREFIX", self.path().join("prefix"));
        let output = command.output().expect("there is a shell");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Push { is_accepted: output.status.success(), text }
    }

    /// Writes the repository's configuration: the registry listed as local, and `rest` in front of it.
    pub(crate) fn configure(&self, rest: &str) {
        let listed = format!("[registries.\"{}\"]\nplain-http = true\nprivate = true\n", self.registry.host());
        self.configure_exactly(&format!("{rest}\n{listed}"));
    }

    pub(crate) fn configure_exactly(&self, text: &str) {
        fs::write(self.bare().join("pullgate.toml"), text).expect("the bare repository is writable");
    }

    /// The reference of an image in the registry.
    pub(crate) fn image(&self, name_and_tag: &str) -> String {
        format!("{}/{name_and_tag}", self.registry.host())
    }

    /// Writes a file into the clone.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.clone_dir().join(path);
        fs::create_dir_all(file.parent().expect("the file is in a folder")).expect("the clone is writable");
        fs::write(file, text).expect("the clone is writable");
    }

    /// Writes a Deployment of the image `name:tag` of the registry.
    pub(crate) fn deploy(&self, path: &str, name_and_tag: &str) {
        self.write(path, &deployment(&self.image(name_and_tag)));
    }

    /// Commits everything; returns the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]).ok();
        self.git(&["commit", "-q", "--allow-empty", "-m", message]).ok();
        self.git(&["rev-parse", "HEAD"]).output()
    }

    /// Pushes with these arguments behind `git push origin`.
    pub(crate) fn push(&self, args: &[&str]) -> Push {
        let output = self.git(&["push", "origin"]).args(args).run();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        Push { is_accepted: output.status.success(), text }
    }

    /// Commits everything and pushes main.
    pub(crate) fn commit_and_push(&self, message: &str) -> Push {
        self.commit(message);
        self.push(&["main"])
    }

    /// What the ref points at in the bare repository; `None` if there is none.
    pub(crate) fn remote_ref(&self, name: &str) -> Option<String> {
        let output = git(&self.bare()).args(["rev-parse", "--verify", "-q", name]).run();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Push {
    /// What the hook said: the lines behind `remote: `.
    pub(crate) fn remote(&self) -> String {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("remote:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    pub(crate) fn accepted(&self) {
        assert!(self.is_accepted, "rejected:\n{}", self.text);
    }

    /// Rejected by the hook, which said all of `words`.
    #[track_caller]
    pub(crate) fn rejected(&self, words: &[&str]) {
        assert!(!self.is_accepted, "accepted:\n{}", self.text);
        assert!(self.text.contains("pre-receive hook declined"), "{}", self.text);
        let missing: Vec<&&str> = words.iter().filter(|word| !self.text.contains(**word)).collect();
        assert!(missing.is_empty(), "{missing:?} not in\n{}", self.text);
    }
}

/// A Deployment with one container.
pub(crate) fn deployment(image: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: prod
spec:
  template:
    spec:
      containers:
        - name: app
          image: {image}
"
    )
}
