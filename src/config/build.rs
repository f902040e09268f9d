//! From what is written to what the rooms want.
use super::{
    environment,
    file::{self, File},
    load::{Caller, Error},
    user,
};
use crate::{
    gate::{Action, Gate, HostPolicy, Initial, Options, Patterns, Policy, RefRules, Unresolved},
    http::{ClientCertificate, Proxies, Roots, Settings},
    image::{Platform, Reference},
    registry::{self, CredentialChoice, Helpers, HostOptions, Registries, Unlisted, canonical, is_helper_name},
    tree::RepoPath,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where containerd and docker keep certificates for registries.
const CERTS_DIRS: [&str; 2] = ["/etc/containerd/certs.d", "/etc/docker/certs.d"];

/// The configuration that is in force.
#[derive(Clone, Debug)]
pub struct Config {
    gate: Options,
    registries: registry::Options,
    message: String,
}

impl Config {
    /// What `file`, which stands at `path`, means; the defaults stand where it is silent.
    pub(super) fn new(file: &File, path: &Path, caller: Caller) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed { path: path.to_owned(), reason };
        let patterns = |patterns: &[String]| Patterns::new(patterns).map_err(|error| malformed(error.to_string()));
        check_hosts(file).and_then(|()| check_credentials(file)).map_err(malformed)?;
        let defaults = Options::default();
        let refs = RefRules {
            enforce: file.refs.enforce.as_deref().map_or(Ok(defaults.refs.enforce), patterns)?,
            warn: patterns(&file.refs.warn)?,
        };
        let written = file.refs.enforce.iter().flatten().chain(&file.refs.warn);
        if let Some(pattern) = written.clone().find(|pattern| !may_match_a_ref(pattern)) {
            return Err(malformed(format!("\"{pattern}\" matches no ref: their names begin with refs/")));
        }
        let gate = Options {
            policy: policy(file),
            refs,
            ignore: patterns(&file.files.ignore)?,
            initial: file.initial.map_or(defaults.initial, initial),
            deadline: file.deadline.unwrap_or(defaults.deadline),
            max_images: file.max_images.unwrap_or(defaults.max_images),
            file_limit: defaults.file_limit,
        };
        let platform = |text: &String| {
            let wrong =
                || malformed(format!("\"{text}\" is not a platform such as \"linux/amd64\" or \"linux/arm/v7\""));
            Platform::parse(text).ok_or_else(wrong)
        };
        let platforms = file.platforms.iter().map(platform).collect::<Result<_, _>>()?;
        let registries = registry::Options { platforms, ..registries(file, caller) };
        Ok(Self { gate, registries, message: file.message.clone() })
    }

    /// The gate that this configuration describes; `notes` if it shall find out what is worth knowing even where nothing
    /// is wrong.
    pub fn gate(&self, notes: bool) -> Gate {
        let registries = registry::Options { pinned_tags: notes, ..self.registries.clone() };
        Gate::new(self.gate.clone(), Registries::new(registries))
    }

    /// The last line of a rejection.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a file of the tree is left out.
    pub fn ignores(&self, path: &RepoPath) -> bool {
        self.gate.ignore.matches(path.as_bytes())
    }

    /// The largest manifest file that is read, in bytes.
    pub fn file_limit(&self) -> u64 {
        self.gate.file_limit
    }
}

/// A name that no reference and no realm ever has is an entry that silently never counts.
fn check_hosts(file: &File) -> Result<(), String> {
    let mut named = BTreeMap::new();
    for (host, registry) in &file.registries {
        if !is_registry(host) {
            return Err(format!(
                "[registries.\"{host}\"] is not how references name a registry: docker.io, or host or host:port in lower case"
            ));
        }
        if let Some(other) = named.insert(canonical(host), host) {
            return Err(format!("[registries.\"{other}\"] and [registries.\"{host}\"] are the same registry"));
        }
        check_host(host, registry).map_err(|reason| format!("[registries.\"{host}\"]: {reason}"))?;
    }
    Ok(())
}

/// A helper is found by its name in a folder, wherever the program was started, and git's variables are nobody's.
fn check_credentials(file: &File) -> Result<(), String> {
    for (host, registry) in &file.registries {
        if let Some(file::CredentialChoice::Helper(name)) = &registry.credentials
            && !is_helper_name(name)
        {
            return Err(format!(
                "credentials of [registries.\"{host}\"]: \"{name}\" is not the NAME of a program docker-credential-NAME"
            ));
        }
    }
    if let Some(folder) = file.credentials.helper_dirs.iter().flatten().find(|folder| !folder.is_absolute()) {
        return Err(format!("[credentials] helper-dirs: \"{}\" does not begin with /", folder.display()));
    }
    let wrong = |name: &&String| name.is_empty() || name.starts_with("GIT_") || name.contains(['=', '*', '\0']);
    if let Some(name) = file.credentials.helper_env.iter().find(wrong) {
        return Err(format!("[credentials] helper-env: \"{name}\" is not a variable that a helper may have"));
    }
    Ok(())
}

fn check_host(host: &str, registry: &file::Registry) -> Result<(), String> {
    let wrong = |realm: &&String| realm.is_empty() || realm.contains(['/', '@']) || realm.ends_with(":443");
    if let Some(realm) = registry.token_realms.iter().find(wrong) {
        return Err(format!("token-realms: \"{realm}\" is not a host, or host:port if that is not 443"));
    }
    if registry.client_cert.is_some() != registry.client_key.is_some() {
        return Err("client-cert and client-key go together; they may name the same file".to_owned());
    }
    if registry.concurrency == Some(0) {
        return Err("concurrency: 0 would ask for nothing".to_owned());
    }
    if registry.plain_http && (host.ends_with(":443") || registry.client_cert.is_some()) {
        return Err("plain-http goes neither with port 443 nor with a client-cert".to_owned());
    }
    match registry.mirror_of.as_deref() {
        Some(origin) if !is_registry(origin) => Err(format!(
            "mirror-of: \"{origin}\" is not how references name a registry: docker.io, or host or host:port in lower case"
        )),
        Some(origin) if canonical(origin) == canonical(host) => {
            Err("mirror-of: a registry is no mirror of itself".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether references name a registry so.
fn is_registry(host: &str) -> bool {
    let named = Reference::parse(&format!("{host}/x"));
    named.is_ok_and(|named| named.registry() == host) && !host.contains(|c: char| c.is_ascii_uppercase())
}

/// Whether a pattern that says where it begins begins as refs do.
fn may_match_a_ref(pattern: &str) -> bool {
    let trimmed = pattern.strip_prefix('!').unwrap_or(pattern).trim_end_matches('/');
    let anchored = trimmed.strip_prefix('/').or_else(|| trimmed.contains('/').then_some(trimmed));
    let first = anchored.and_then(|anchored| anchored.split('/').next());
    first.is_none_or(|first| first == "refs" || first.contains(['*', '?', '[', '{', '\\']))
}

/// Roots of trust that the environment adds.
fn roots() -> Roots {
    let path = |name| environment::path(name).into_iter().collect();
    Roots { files: path(environment::CERT_FILE), folders: path(environment::CERT_DIR) }
}

/// The standard proxy variables, as curl reads them.
fn proxies() -> Proxies {
    let first = |names: &[&str]| names.iter().find_map(|name| environment::text(name));
    Proxies {
        http: first(&environment::HTTP_PROXY),
        https: first(&environment::HTTPS_PROXY),
        none: first(&environment::NO_PROXY),
    }
}

fn policy(file: &File) -> Policy {
    let defaults = Policy::default();
    let or = |wanted: Option<file::Action>, default| wanted.map_or(default, action);
    let general = HostPolicy {
        on_missing: or(file.on_missing, defaults.general.on_missing),
        on_denied: or(file.on_denied, defaults.general.on_denied),
        on_error: or(file.on_error, defaults.general.on_error),
        on_likely: or(file.on_likely, defaults.general.on_likely),
    };
    let own = |registry: &file::Registry| HostPolicy {
        on_missing: registry.on_missing.map(action),
        on_denied: registry.on_denied.map(action),
        on_error: registry.on_error.map(action),
        on_likely: registry.on_likely.map(action),
    };
    let on_unresolved = file.on_unresolved.map_or(defaults.on_unresolved, |unresolved| match unresolved {
        file::Unresolved::Reject => Unresolved::Reject,
        file::Unresolved::Warn => Unresolved::Warn,
        file::Unresolved::Ignore => Unresolved::Ignore,
    });
    let hosts = file.registries.iter().map(|(host, registry)| (canonical(host), own(registry))).collect();
    Policy { general, on_unresolved, hosts }
}

fn action(action: file::Action) -> Action {
    match action {
        file::Action::Reject => Action::Reject,
        file::Action::Warn => Action::Warn,
    }
}

fn initial(initial: file::Initial) -> Initial {
    match initial {
        file::Initial::Check => Initial::Check,
        file::Initial::Skip => Initial::Skip,
    }
}

fn registries(file: &File, caller: Caller) -> registry::Options {
    let defaults = registry::Options::default();
    let user_config = match (&file.credentials.docker_config, caller) {
        (None, Caller::User) => user::configs(&environment::value),
        (None, Caller::Hook) | (Some(_), _) => Vec::new(),
    };
    let hosts: BTreeMap<_, _> =
        file.registries.iter().map(|(host, own)| (canonical(host), host_options(own))).collect();
    registry::Options {
        hosts,
        unlisted: file.unlisted_registries.allow.map_or(defaults.unlisted, |allow| match allow {
            file::Allow::Public => Unlisted::Public,
            file::Allow::Any => Unlisted::Any,
            file::Allow::None => Unlisted::None,
        }),
        docker_config: file.credentials.docker_config.clone().unwrap_or_default(),
        user_config,
        helpers: helpers(&file.credentials, caller),
        suggestions: file.suggestions.unwrap_or(defaults.suggestions),
        http: Settings {
            roots: roots(),
            proxies: proxies(),
            certs_dirs: file.certs_dirs.clone().unwrap_or_else(|| CERTS_DIRS.map(PathBuf::from).to_vec()),
            ..Settings::default()
        },
        ..defaults
    }
}

fn helpers(credentials: &file::Credentials, caller: Caller) -> Helpers {
    let helpers = match caller {
        Caller::User => user::helpers(&environment::value, environment::all()),
        Caller::Hook => {
            Helpers { environment: user::in_hook(&environment::value, &credentials.helper_env), ..Helpers::default() }
        }
    };
    Helpers { folders: credentials.helper_dirs.clone().unwrap_or(helpers.folders), ..helpers }
}

fn host_options(own: &file::Registry) -> HostOptions {
    let defaults = HostOptions::default();
    HostOptions {
        credentials: own.credentials.as_ref().map_or(defaults.credentials, |choice| match choice {
            file::CredentialChoice::Docker => CredentialChoice::Docker,
            file::CredentialChoice::None => CredentialChoice::None,
            file::CredentialChoice::Password { username, password_file } => {
                CredentialChoice::Password { username: username.clone(), file: password_file.clone() }
            }
            file::CredentialChoice::Helper(name) => CredentialChoice::Helper(name.clone()),
            file::CredentialChoice::Token(file) => CredentialChoice::Token(file.clone()),
        }),
        ca_file: own.ca_file.clone(),
        client: own
            .client_cert
            .clone()
            .zip(own.client_key.clone())
            .map(|(certificate, key)| ClientCertificate { certificate, key }),
        mirror_of: own.mirror_of.as_deref().map(canonical),
        plain_http: own.plain_http,
        private: own.private,
        token_realms: own.token_realms.clone(),
        concurrency: own.concurrency.unwrap_or(defaults.concurrency),
    }
}
