//! What a registry says about an image, and in which words that is passed on.
use super::strangers::MAX_STRANGERS;
use crate::image::Reference;

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
    /// The registry says that there is none of that name.
    Missing,
    /// Many registries give the same answer whether or not it exists.
    Unknown,
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
            Self::NotAllowed { refusal, host, .. } => refused(*refusal, host),
        }
    }
}

fn coded(status: u16, code: Option<&str>) -> String {
    code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"))
}

fn missing(repository: Repository, reference: &Reference) -> String {
    match (repository, reference.digest(), reference.tag()) {
        (Repository::Exists, Some(digest), _) => format!(": the repository has no manifest {digest}"),
        (Repository::Exists, None, Some(tag)) => format!(": the repository has no tag \"{tag}\""),
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
