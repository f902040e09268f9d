//! The configuration file as it is written: every key of it, and nothing of what it means.
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// `config.toml`. An unknown key is an error: a misspelt one must not be a check that silently does not happen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct File {
    /// Only in a repository's own file: the file whose keys hold where this one is silent.
    pub(super) extends: Option<PathBuf>,
    pub(super) on_missing: Option<Action>,
    pub(super) on_denied: Option<Action>,
    pub(super) on_error: Option<Action>,
    pub(super) on_unresolved: Option<Unresolved>,
    pub(super) on_likely: Option<Action>,
    #[serde(deserialize_with = "duration")]
    pub(super) deadline: Option<Duration>,
    pub(super) max_images: Option<usize>,
    pub(super) initial: Option<Initial>,
    pub(super) message: String,
    pub(super) suggestions: Option<bool>,
    pub(super) platforms: Vec<String>,
    pub(super) certs_dirs: Option<Vec<PathBuf>>,
    pub(super) refs: Refs,
    pub(super) files: Files,
    pub(super) registries: BTreeMap<String, Registry>,
    pub(super) unlisted_registries: UnlistedRegistries,
    pub(super) credentials: Credentials,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Reject,
    Warn,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unresolved {
    Reject,
    Warn,
    Ignore,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Initial {
    Check,
    Skip,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Refs {
    pub(super) enforce: Option<Vec<String>>,
    pub(super) warn: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Files {
    pub(super) ignore: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Registry {
    pub(super) credentials: Option<CredentialChoice>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_cert: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) mirror_of: Option<String>,
    pub(super) plain_http: bool,
    pub(super) private: bool,
    pub(super) token_realms: Vec<String>,
    pub(super) concurrency: Option<usize>,
    pub(super) on_missing: Option<Action>,
    pub(super) on_denied: Option<Action>,
    pub(super) on_error: Option<Action>,
    pub(super) on_likely: Option<Action>,
}

/// `"docker"`, `"none"`, a user with a password in a file, a helper, or a token in a file.
#[derive(Clone, Debug)]
pub(super) enum CredentialChoice {
    Docker,
    None,
    Password { username: String, password_file: PathBuf },
    Helper(String),
    Token(PathBuf),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct UnlistedRegistries {
    pub(super) allow: Option<Allow>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Allow {
    Public,
    Any,
    None,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Credentials {
    pub(super) docker_config: Option<Vec<PathBuf>>,
    /// Where helpers are; else in the system's folders, or on the `PATH` of whoever runs a command.
    pub(super) helper_dirs: Option<Vec<PathBuf>>,
    /// Names of variables that a helper gets besides, in the hook.
    pub(super) helper_env: Vec<String>,
}

impl<'de> Deserialize<'de> for CredentialChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct Password {
            username: String,
            password_file: PathBuf,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Helper {
            helper: String,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct Token {
            token_file: PathBuf,
        }
        // Through a value, because an untagged enum would say "did not match any variant" and not what is wrong.
        let choice = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) if word == "docker" => Ok(Self::Docker),
            toml::Value::String(word) if word == "none" => Ok(Self::None),
            toml::Value::Table(table) if table.contains_key("helper") => {
                table.try_into().map(|Helper { helper }| Self::Helper(helper))
            }
            toml::Value::Table(table) if table.contains_key("token-file") => {
                table.try_into().map(|Token { token_file }| Self::Token(token_file))
            }
            toml::Value::Table(table) => {
                table.try_into().map(|Password { username, password_file }| Self::Password { username, password_file })
            }
            _ => {
                let known = "{ username, password-file }, { helper } or { token-file }";
                return Err(D::Error::custom(format!("credentials are \"docker\", \"none\", {known}")));
            }
        };
        choice.map_err(D::Error::custom)
    }
}

/// `"500ms"`, `"10s"`, `"2m"`, `"24h"`, `"7d"`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let millis = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(scale)).filter(|&millis| millis > 0);
    let wrong = || D::Error::custom(format!("\"{text}\" is not a duration such as \"500ms\", \"10s\" or \"2m\""));
    millis.map(|millis| Some(Duration::from_millis(millis))).ok_or_else(wrong)
}
