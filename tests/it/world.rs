//! A world to push in: a bare repository with the hook put there by install.sh, a clone, and a registry.
use crate::git_command::{Git, fed, git};
use pullgate::lab::{self, Registry};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    _folder: TempDir,
    place: PathBuf,
    pub(crate) registry: Registry,
}

/// How the hook ended when it was called without git.
#[must_use = "say how it ended"]
#[derive(Debug)]
pub(crate) struct Called {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
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
        Self::at("world", init)
    }

    /// In a folder of this name.
    pub(crate) fn at(name: &str, init: &[&str]) -> Self {
        let folder = TempDir::new().expect("the folder for temporary files is writable");
        let place = folder.path().join(name);
        let bin = place.join("prefix/bin");
        fs::create_dir_all(&bin).expect("the folder is ours");
        // As if an earlier run had installed it: a world need not copy the binary. Elsewhere it is copied after all.
        let _ = fs::hard_link(env!("CARGO_BIN_EXE_pullgate"), bin.join("pullgate"));
        let registry = Registry::start(lab::Options::default()).expect("a port of the loopback address is free");
        let world = Self { _folder: folder, place, registry };
        git(world.path()).args(init).args(["fleet.git"]).ok();
        let installed = world.install(&["bare", "fleet.git"]);
        assert!(installed.is_accepted, "{}", installed.text);
        world.configure("");
        let format = git(&world.bare()).args(["rev-parse", "--show-object-format"]).output();
        git(world.path()).args(["init", "-q", "-b", "main", &format!("--object-format={format}"), "clone"]).ok();
        world.git(&["remote", "add", "origin", "../fleet.git"]).ok();
        world
    }

    pub(crate) fn path(&self) -> &Path {
        &self.place
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

    /// Tells git to forget what is not committed, and the last `count` commits.
    pub(crate) fn undo(&self, count: usize) {
        self.git(&["reset", "-q", "--hard", &format!("HEAD~{count}")]).ok();
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
    pub(crate) fn push<A: AsRef<OsStr>>(&self, args: &[A]) -> Push {
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

    /// The installed program as git calls it, in the bare repository.
    pub(crate) fn hook(&self) -> Command {
        let mut command = Command::new(self.installed());
        command.arg("pre-receive").current_dir(self.bare()).env_clear().env("GIT_DIR", ".");
        command
    }

    pub(crate) fn installed(&self) -> PathBuf {
        self.path().join("prefix/bin/pullgate")
    }

    /// Calls the hook without git, for what no git would write.
    pub(crate) fn call(&self, input: impl Into<Vec<u8>>) -> Called {
        Called::of(&mut self.hook(), input)
    }

    /// The images that the registry was asked for since the last time, as `team/app:1`, each once.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        let requests = self.registry.requests();
        self.registry.clear();
        let images = requests.iter().filter_map(|request| {
            let (name, reference) = request.target.strip_prefix("/v2/")?.split_once("/manifests/")?;
            Some(format!("{name}:{reference}"))
        });
        images.collect()
    }

    /// Not one request reached the registry since the last time.
    #[track_caller]
    pub(crate) fn nothing_asked(&self) {
        let requests = self.registry.requests();
        assert!(requests.is_empty(), "{requests:#?}");
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

impl Called {
    /// Runs `command` with `input`.
    pub(crate) fn of(command: &mut Command, input: impl Into<Vec<u8>>) -> Self {
        let output = fed(command, input.into());
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Self { code: output.status.code(), text }
    }

    /// It could not tell, and says so and all of `words` in one line.
    #[track_caller]
    pub(crate) fn could_not_tell(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{}", self.text);
        assert!(self.text.starts_with("error: ") && self.text.lines().count() == 1, "{}", self.text);
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
