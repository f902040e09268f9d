//! `pullgate demo`: a registry, a bare repository with the hook, and two pushes, in a temporary directory.
use crate::{lab, verdict::Decision};
use anyhow::{Context, bail, ensure};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// See it work: one push that is accepted, one that is rejected; needs nothing but git
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Keep the temporary directory and say where it is
    #[arg(long)]
    keep: bool,
}

/// The hook as install.sh writes it, with its placeholders.
const HOOK: &str = include_str!("../../hooks/pre-receive");

pub(super) fn run(args: &Args) -> anyhow::Result<Decision> {
    let folder = tempfile::Builder::new().prefix("pullgate-demo-").tempdir()?;
    let registry = lab::Registry::start(lab::Options::default()).context("cannot start a registry on 127.0.0.1")?;
    registry.push("team/app", "1.4.1");
    registry.push("team/app", "1.4.2");
    let stage = Stage { folder: folder.path().to_owned(), registry: registry.host() };
    let outcome = stage.play();
    if args.keep {
        say(&format!("kept: {}\n", folder.keep().display()))?;
    }
    outcome.map(|()| Decision::Accept)
}

struct Stage {
    folder: PathBuf,
    registry: String,
}

impl Stage {
    fn play(&self) -> anyhow::Result<()> {
        self.set_up()?;
        say(&format!(
            "A registry with team/app:1.4.2 is at {}, a repository with pullgate's hook beside it.\n",
            self.registry
        ))?;
        self.deploy("1.4.2")?;
        ensure!(self.push("1.4.2 is there")?, "the push of an image that is there was rejected");
        self.deploy("1.4.3")?;
        ensure!(!self.push("1.4.3 is a typo")?, "the push of an image that is missing was accepted");
        say("\nThe first push was accepted; the second was rejected, and main still deploys 1.4.2.\n")
    }

    /// The bare repository with hook and configuration, and a clone of it with a base and an overlay.
    fn set_up(&self) -> anyhow::Result<()> {
        let git = Command::new("git").arg("--version").output();
        if !git.is_ok_and(|output| output.status.success()) {
            bail!("the demo needs git, and there is none on the PATH");
        }
        self.git(&self.folder, &["init", "-q", "--bare", "-b", "main", "fleet.git"])?;
        let program = std::env::current_exe()?;
        let program =
            program.to_str().filter(|path| !path.contains('\'')).context("cannot call a program of that path")?;
        let hook = self.folder.join("fleet.git/hooks/pre-receive");
        fs::create_dir_all(self.folder.join("fleet.git/hooks"))?;
        fs::write(&hook, HOOK.replace("@PULLGATE@", program).replace("@OPTIONS@", ""))?;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755))?;
        let configuration = format!("[registries.\"{}\"]\nplain-http = true\nprivate = true\n", self.registry);
        fs::write(self.folder.join("fleet.git/pullgate.toml"), configuration)?;
        self.git(&self.folder, &["clone", "-q", "fleet.git", "clone"])?;
        self.git(&self.clone(), &["symbolic-ref", "HEAD", "refs/heads/main"])?;
        self.write("apps/base/kustomization.yaml", "resources:\n  - app.yaml\n")?;
        self.write("apps/base/app.yaml", BASE)
    }

    /// Commits an overlay that deploys `tag`.
    fn deploy(&self, tag: &str) -> anyhow::Result<()> {
        let overlay = OVERLAY.replace("REGISTRY", &self.registry).replace("TAG", tag);
        self.write("apps/prod/kustomization.yaml", &overlay)?;
        self.git(&self.clone(), &["add", "--all"])?;
        self.git(&self.clone(), &["commit", "-q", "-m", &format!("Deploy {tag}")])
    }

    /// Pushes with git's own words on the terminal; whether it was accepted.
    fn push(&self, title: &str) -> anyhow::Result<bool> {
        say(&format!("\n== {title}\n$ git push origin main\n"))?;
        Ok(self.command(&self.clone(), &["push", "origin", "main"]).status()?.success())
    }

    fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let file = self.clone().join(path);
        fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
        Ok(fs::write(file, text)?)
    }

    fn git(&self, directory: &Path, args: &[&str]) -> anyhow::Result<()> {
        let output = self.command(directory, args).output()?;
        ensure!(output.status.success(), "git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// git as it is out of the box, whatever the user's configuration and a surrounding hook say.
    fn command(&self, directory: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(directory).args(args);
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_QUARANTINE_PATH",
        ] {
            command.env_remove(name);
        }
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("NO_PROXY", "127.0.0.1");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Dana Developer")
                .env(format!("GIT_{who}_EMAIL"), "dana@example.com");
        }
        command
    }

    fn clone(&self) -> PathBuf {
        self.folder.join("clone")
    }
}

/// In front of what git prints next, so written through at once.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

const BASE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: my-app
spec:
  selector: { matchLabels: { app: my-app } }
  template:
    metadata: { labels: { app: my-app } }
    spec:
      containers:
        - name: app
          image: my-app
";

const OVERLAY: &str = "\
namespace: prod
resources:
  - ../base
images:
  - name: my-app
    newName: REGISTRY/team/app
    newTag: TAG
";
