//! What a registry says about an image, and in which words that is passed on.
use super::strangers::MAX_STRANGERS;
use crate::image::{Platform, Reference};
use std::fmt;

/// A registry's answer about one image. Text of the registry is kept as it was sent; it is escaped when it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can be pulled.
    Present {
        /// The digest that the registry names; some name none.
        digest: Option<String>,
    },
    /// The registry says twice, to HEAD and to GET, that there is no such image.
    Absent {
        /// The HTTP status.
        status: u16,
        /// The registry's code, such as `MANIFEST_UNKNOWN`.
        code: Option<String>,
        /// What is known of the repository.
        repository: Repository,
        /// Tags that exist and look alike, the most likely first.
        suggestions: Vec<String>,
    },
    /// It does not exist or we may not see it: registries do not tell the two apart.
    Denied {
        /// The HTTP status.
        status: u16,
        /// The registry's code, such as `DENIED`.
        code: Option<String>,
        /// As whom it was asked.
        asked_as: AskedAs,
        /// The token service that was not sent the credentials that we have, because nothing vouches for it.
        withheld: Option<String>,
    },
    /// It exists, but cannot be pulled.
    Blocked {
        /// Why, in the registry's words or ours.
        message: String,
    },
    /// It is there, but not for every platform that the configuration asks for.
    WrongPlatform {
        /// What it is for; nothing if it is an index of nothing that could run.
        offered: Vec<Platform>,
        /// What it is not for.
        missing: Vec<Platform>,
    },
    /// It is there, but is no container image.
    WrongKind(Kind),
    /// The registry was not asked.
    NotAllowed {
        /// Why not.
        refusal: Refusal,
        /// The host that was not asked, with its port if it has one.
        host: String,
        /// Lines that would allow it in the configuration.
        configuration: Vec<String>,
    },
}

/// What is known of the repository of an absent image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repository {
    /// It has tags, but not this one.
    Exists,
    /// Its list of tags names this one, which all the same cannot be had.
    Lists,
    /// The registry says that there is none of that name.
    Missing,
    /// Many registries give the same answer whether or not it exists.
    Unknown,
}

/// What registries keep beside container images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Helm chart.
    HelmChart,
    /// What `flux push artifact` makes.
    FluxArtifact,
    /// A signature: cosign, sigstore, notation.
    Signature,
    /// Provenance, or a list of what is in an image.
    Attestation,
    /// A plugin of the Docker daemon.
    DockerPlugin,
    /// Something else, of the artifact type that it names.
    Artifact(String),
}

/// With its article.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HelmChart => "a Helm chart",
            Self::FluxArtifact => "a Flux artifact",
            Self::Signature => "a signature",
            Self::Attestation => "an attestation",
            Self::DockerPlugin => "a plugin of Docker",
            Self::Artifact(artifact) => return write!(f, "an artifact of type {artifact}"),
        })
    }
}

/// As whom a registry was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedAs {
    /// Without credentials.
    Anonymous,
    /// With these.
    Credentials {
        /// The user, unless they are a token.
        user: Option<String>,
        /// Where they come from: a file and a key in it.
        source: String,
    },
}

/// Why a registry was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not listed, and only listed ones are asked.
    Unlisted,
    /// It is not listed, and at another port than 443.
    Port,
    /// It is not listed, and a proxy would resolve its name.
    Proxied,
    /// It is not listed, and more unlisted hosts were asked before it than one push may make us ask.
    TooMany,
    /// It is not listed, and has no public address, if it exists at all.
    NoPublicAddress,
    /// It is listed, but not as one that may have a private address.
    Private,
}

impl Answer {
    /// The answer in words, without a full stop, and without the reference itself.
    pub fn describe(&self, reference: &Reference) -> String {
        match self {
            Self::Present { .. } => "the registry has it".to_owned(),
            Self::Absent { status, code, repository, .. } => {
                format!("not found{} ({})", missing(*repository, reference), coded(*status, code.as_deref()))
            }
            Self::Denied { status, code, asked_as, withheld } => {
                let text = denied(asked_as, reference.registry(), &coded(*status, code.as_deref()));
                match withheld {
                    Some(realm) => {
                        format!("{text}; its credentials were not sent to {realm}, which is not listed in token-realms")
                    }
                    None => text,
                }
            }
            Self::Blocked { message } => format!("it exists, but cannot be pulled: {message}"),
            Self::WrongPlatform { offered, missing } if offered.is_empty() => {
                format!("it offers nothing that runs, so not {}", list(missing, "or"))
            }
            Self::WrongPlatform { offered, missing } => {
                format!("it offers {}, but not {}", list(offered, "and"), list(missing, "or"))
            }
            Self::WrongKind(kind) => format!("it is {kind}, not a container image"),
            Self::NotAllowed { refusal, host, .. } => refused(*refusal, host),
        }
    }
}

fn coded(status: u16, code: Option<&str>) -> String {
    code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"))
}

/// At most ten, as one would say them.
fn list(platforms: &[Platform], word: &str) -> String {
    let names: Vec<String> = platforms.iter().take(10).map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((_, _)) if platforms.len() > names.len() => format!("{}, ...", names.join(", ")),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        None => String::new(),
    }
}

fn missing(repository: Repository, reference: &Reference) -> String {
    match (repository, reference.digest(), reference.tag()) {
        (Repository::Exists, Some(digest), _) => format!(": the repository has no manifest {digest}"),
        (Repository::Exists, None, Some(tag)) => format!(": the repository has no tag \"{tag}\""),
        (Repository::Lists, None, Some(tag)) => {
            format!(": the repository lists a tag \"{tag}\", but serves no manifest of it")
        }
        (Repository::Missing, ..) => format!(": there is no repository {}", reference.repository()),
        _ => String::new(),
    }
}

fn denied(asked_as: &AskedAs, registry: &str, code: &str) -> String {
    match asked_as {
        AskedAs::Anonymous => {
            format!(
                "does not exist or is private: {registry} was asked without credentials and does not say which ({code})"
            )
        }
        AskedAs::Credentials { user: Some(user), source } => {
            format!("does not exist, or user \"{user}\" ({source}) may not read it ({code})")
        }
        AskedAs::Credentials { user: None, source } => {
            format!("does not exist, or the token of {source} may not read it ({code})")
        }
    }
}

fn refused(refusal: Refusal, host: &str) -> String {
    match refusal {
        Refusal::Unlisted => format!("not checked: the configuration does not list {host}"),
        Refusal::Port => {
            format!("not checked: {host} is not listed, and unlisted registries are asked at port 443 only")
        }
        Refusal::Proxied => {
            format!("not checked: {host} is not listed, and only listed registries are asked through a proxy")
        }
        Refusal::TooMany => {
            format!("not checked: {host} is not listed, and one push may name {MAX_STRANGERS} unlisted hosts")
        }
        Refusal::NoPublicAddress => {
            format!("not checked: {host} is not listed, and there is no public address of that name")
        }
        Refusal::Private => format!("not checked: {host} has a private address, and is not listed as private"),
    }
}
