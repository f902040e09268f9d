//! `pullgate pre-receive`: git push is waiting; read the updates, say yes or no.
use crate::{
    config::Search,
    git::{Environment, Repository},
    push,
    report::text,
    verdict::Decision,
};
use anyhow::{Context, bail};
use std::{
    io::{self, IsTerminal, Read},
    path::{self, PathBuf},
    time::Instant,
};

/// The hook: reads "old new ref" lines from standard input, as git writes them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, instead of pullgate.toml in the repository or /etc/pullgate/config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say one line when the push is accepted
    #[arg(short, long)]
    verbose: bool,
}

/// More standard input than any push: 400,000 refs.
const MAX_INPUT: u64 = 64 << 20;

pub(super) fn run(args: &Args) -> anyhow::Result<Decision> {
    let started = Instant::now();
    let updates = push::parse(&read_input()?).context("cannot judge this push")?;
    let environment = Environment::from_process();
    // git says ".", which in a message means nothing on a server with many repositories.
    let directory = path::absolute(&environment.git_dir).unwrap_or_else(|_| environment.git_dir.clone());
    let search = Search { named: args.config.clone(), repository: Some(directory) };
    let config = search.load().context("the configuration of pullgate is broken; tell this server's administrator")?;
    if updates.iter().all(|update| update.new.is_none()) {
        return Ok(Decision::Accept);
    }
    let repository = Repository::open_in_hook(&environment).context("cannot judge this push")?;
    let outcome =
        config.gate(args.verbose).inspect(&repository, &updates, started).context("cannot judge this push")?;
    let options = text::Options { message: config.message().to_owned(), changed: outcome.changed, notes: args.verbose };
    let mut said = Vec::new();
    text::write(&outcome.report, &options, &mut said)?;
    let decision = outcome.report.decision();
    if args.verbose && said.is_empty() {
        said = format!("pullgate: {} changed images, all of them there\n", outcome.changed).into_bytes();
    }
    super::say(&String::from_utf8_lossy(&said));
    Ok(decision)
}

fn read_input() -> anyhow::Result<Vec<u8>> {
    let stdin = io::stdin().lock();
    if stdin.is_terminal() {
        bail!("this is git's hook: it reads \"old new ref\" lines from standard input. Try `pullgate demo`");
    }
    let mut input = Vec::new();
    stdin.take(MAX_INPUT + 1).read_to_end(&mut input).context("cannot read standard input")?;
    if input.len() as u64 > MAX_INPUT {
        bail!("standard input has more than {MAX_INPUT} bytes of ref updates");
    }
    Ok(input)
}
