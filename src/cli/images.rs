//! `pullgate images`: what a tree deploys, or what one deploys and another does not. Asks no registry.
use crate::{
    config::{Search, environment},
    deploy,
    git::{CommitTree, Repository},
    image::{ImageUse, Link},
    report::json,
    tree::Tree,
    verdict::{Decision, escape},
};
use anyhow::{Context, anyhow};
use clap::ValueEnum;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// List the images that a tree deploys; asks no registry
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A revision, or BASE..HEAD for what HEAD deploys and BASE does not
    #[arg(value_name = "REV | BASE..HEAD", default_value = "HEAD")]
    revision: String,
    /// The repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// How to write the list
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Say of each image what deploys it, and every step by which its reference came about
    #[arg(short, long)]
    verbose: bool,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A line a place: path:line:column, two spaces, the reference
    Text,
    /// One document, schema version 1
    Json,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Decision> {
    let repository = Repository::open(&args.repo)?;
    let named = args.config.clone().or_else(|| environment::path(environment::CONFIG));
    let config = Search { named, repository: Some(repository.path().to_owned()) }.load()?;
    let (base, head) = match args.revision.split_once("..") {
        Some((base, head)) => {
            (Some(if base.is_empty() { "HEAD" } else { base }), if head.is_empty() { "HEAD" } else { head })
        }
        None => (None, args.revision.as_str()),
    };
    let old = base.map(|base| tree(&repository, base)).transpose()?;
    let new = tree(&repository, head)?;
    let old: Option<&dyn Tree> = old.as_ref().map(|old| old as &dyn Tree);
    let options = deploy::Options { ignored: &|path| config.ignores(path), file_limit: config.file_limit() };
    let changes = deploy::changed(old, &new, &options)?;
    let out = &mut io::stdout().lock();
    let written = match args.format {
        Format::Text if args.verbose => changes.uses.iter().try_for_each(|image| explain(image, out)),
        Format::Text => lines(&changes.uses, out),
        Format::Json => json::write(&changes.uses, &changes.notices, out),
    };
    match written {
        // `| head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Decision::Accept),
        written => written?,
    }
    if matches!(args.format, Format::Text) {
        for notice in &changes.notices {
            let message = escape(&notice.message, 400);
            super::say(&format!("warning: {}: {message} [{}]\n", notice.place, notice.code));
        }
    }
    Ok(Decision::Accept)
}

fn tree<'r>(repository: &'r Repository, revision: &str) -> anyhow::Result<CommitTree<'r>> {
    let id = repository.resolve(revision)?;
    let tree = repository.tree(&id).with_context(|| format!("cannot read {revision}"))?;
    tree.ok_or_else(|| anyhow!("{revision} is not a commit"))
}

fn lines(images: &[ImageUse], out: &mut dyn Write) -> io::Result<()> {
    images.iter().try_for_each(|image| writeln!(out, "{}  {}", image.place, escape(&image.reference, 400)))
}

/// The line of an image, and below it what deploys it and the steps of its chain.
fn explain(image: &ImageUse, out: &mut dyn Write) -> io::Result<()> {
    lines(std::slice::from_ref(image), out)?;
    let piece = |text: &str| escape(text, 200);
    writeln!(out, "  {}, {}, by {}", piece(&image.object), piece(&image.field), piece(&image.unit))?;
    for Link { step, place, text } in &image.chain {
        writeln!(out, "  {step:<11} {place}  {}", piece(text))?;
    }
    Ok(())
}
