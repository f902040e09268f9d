//! Runs a credential helper: with an environment of its own, for a limited time, and with all its children.
use crate::registry::options::Helpers;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    env, io,
    path::{Path, PathBuf},
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::{Instant, timeout, timeout_at},
};

/// The end of a helper's `PATH`.
const SYSTEM: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// More than any credentials.
const MAX: usize = 64 * 1024;
/// How long the pipe is read after the helper has ended and somebody beyond our reach still holds it open.
const GRACE: Duration = Duration::from_millis(100);

/// How a helper ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
}

/// Why a helper did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("cannot run it: {0}")]
    Run(#[from] io::Error),
    #[error("it did not answer in time")]
    Late,
    #[error("it printed more than 64 KiB")]
    Long,
}

/// All processes that a helper started, but for those that left its group. They end when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        // It may have ended by itself. While one of its children lives, no other process gets the group's number.
        let _ = self.0.map(|group| kill_process_group(group, Signal::KILL));
    }
}

/// Runs `program get` with the server on its standard input. What it says on standard error nobody sees.
pub(super) async fn run(program: &Path, server: &str, helpers: &Helpers, until: Instant) -> Result<Ended, Failure> {
    // A helper that is a script needs what scripts need, wherever it lies itself.
    let system = SYSTEM.iter().map(Path::new).filter(|folder| !helpers.folders.iter().any(|own| own == folder));
    let folders = helpers.folders.iter().map(PathBuf::as_path).chain(system);
    let path = env::join_paths(folders).map_err(io::Error::other)?;
    let mut child = Command::new(program)
        .arg("get")
        .current_dir("/")
        .env_clear()
        .envs(helpers.environment.iter())
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)));
    timeout_at(until, converse(&mut child, group, server)).await.unwrap_or(Err(Failure::Late))
}

async fn converse(child: &mut Child, group: Group, server: &str) -> Result<Ended, Failure> {
    if let Some(mut stdin) = child.stdin.take() {
        // It need not read; what we send fits into the pipe.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let mut stdout = Vec::new();
    let status = {
        let pipe = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let mut pipe = pipe.take(MAX as u64 + 1);
        let mut read = pin!(pipe.read_to_end(&mut stdout));
        tokio::select! {
            read = &mut read => {
                if read? > MAX {
                    return Err(Failure::Long);
                }
                child.wait().await?
            }
            status = child.wait() => {
                // Its children may live on with the pipe in their hands.
                drop(group);
                let _ = timeout(GRACE, read).await;
                status?
            }
        }
    };
    if stdout.len() > MAX { Err(Failure::Long) } else { Ok(Ended { status, stdout }) }
}
