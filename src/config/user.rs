//! What the environment of whoever runs a command says about credentials. In the hook it says nothing: see
//! [`environment`].
use super::environment;
use crate::registry::{Helpers, Secret, UserConfig, Variables};
use std::{ffi::OsString, path::PathBuf};

/// Reads a variable; `None` if it is unset or empty.
type Read<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The docker configurations of podman's and docker's search, in the order in which they count.
pub(super) fn configs(read: Read<'_>) -> Vec<UserConfig> {
    let text = read(environment::DOCKER_AUTH_CONFIG).and_then(|value| value.into_string().ok());
    let text = text
        .map(|text| UserConfig::Text { variable: environment::DOCKER_AUTH_CONFIG.to_owned(), text: Secret::new(text) });
    let path = |name| read(name).map(PathBuf::from);
    let home = |folder| path(environment::HOME).map(|home| home.join(folder));
    let podman = |folder: PathBuf| folder.join("containers/auth.json");
    let files = [
        path(environment::REGISTRY_AUTH_FILE),
        path(environment::XDG_RUNTIME_DIR).map(podman),
        path(environment::XDG_CONFIG_HOME).or_else(|| home(".config")).map(podman),
        path(environment::DOCKER_CONFIG).or_else(|| home(".docker")).map(|folder| folder.join("config.json")),
    ];
    text.into_iter().chain(files.into_iter().flatten().map(UserConfig::File)).collect()
}

/// Helpers run as the user would run them, but as if git had called nobody: with `PATH` and the rest of `all`.
pub(super) fn helpers(read: Read<'_>, all: impl Iterator<Item = (OsString, OsString)>) -> Helpers {
    let path = read(environment::PATH).unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    Helpers { folders, environment: all.filter(|(name, _)| is_for_helpers(name)).collect(), ..Helpers::default() }
}

fn is_for_helpers(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with("GIT_") && !name.starts_with("PULLGATE_") && name != environment::DOCKER_AUTH_CONFIG
}

/// Of the environment of a hook, what a helper gets: where it is at home, proxies and certificates, and what the
/// administrator names.
pub(super) fn in_hook(read: Read<'_>, named: &[String]) -> Variables {
    let known = environment::HELPERS_IN_HOOK.iter().copied().flatten().copied();
    let names = known.chain(named.iter().map(String::as_str));
    names.filter_map(|name| Some((name.into(), read(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::{configs, helpers, in_hook};
    use crate::registry::UserConfig;
    use std::{ffi::OsString, path::PathBuf};

    fn environment(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    /// The files, and the names of variables that hold a configuration.
    fn places(variables: &'static [(&str, &str)]) -> Vec<String> {
        let show = |place| match place {
            UserConfig::File(path) => path.display().to_string(),
            UserConfig::Text { variable, .. } => variable,
        };
        configs(&environment(variables)).into_iter().map(show).collect()
    }

    #[test]
    fn everything_that_is_set_is_searched_in_the_order_of_podman_and_docker() {
        let all = &[
            ("HOME", "/home/dana"),
            ("DOCKER_AUTH_CONFIG", "{}"),
            ("REGISTRY_AUTH_FILE", "/auth.json"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
            ("XDG_CONFIG_HOME", "/config"),
            ("DOCKER_CONFIG", "/docker"),
        ];
        let expected = [
            "DOCKER_AUTH_CONFIG",
            "/auth.json",
            "/run/user/1000/containers/auth.json",
            "/config/containers/auth.json",
            "/docker/config.json",
        ];
        assert_eq!(places(all), expected);
        let home = ["/home/dana/.config/containers/auth.json", "/home/dana/.docker/config.json"];
        assert_eq!(places(&[("HOME", "/home/dana")]), home);
        assert_eq!(places(&[]), [""; 0]);
    }

    #[test]
    fn a_configuration_in_a_variable_is_not_shown() {
        let found = configs(&environment(&[("DOCKER_AUTH_CONFIG", "hunter2")]));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn a_helper_of_the_user_gets_the_users_environment_without_gits() {
        let variables = ["AWS_PROFILE", "GIT_DIR", "GIT_SSH_COMMAND", "PULLGATE_CONFIG", "DOCKER_AUTH_CONFIG", "HOME"];
        let all = variables.map(|name| (name.into(), "hunter2".into())).into_iter();
        let helpers = helpers(&environment(&[("PATH", "/a:b::/c")]), all);
        let names: Vec<_> = helpers.environment.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, ["AWS_PROFILE", "HOME"]);
        assert_eq!(helpers.folders, [PathBuf::from("/a"), PathBuf::from("/c")]);
        assert!(!format!("{helpers:?}").contains("hunter2"));
    }

    #[test]
    fn a_helper_in_the_hook_gets_what_the_administrator_names() {
        let read = environment(&[
            ("AWS_PROFILE", "git"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("HOME", "/home/git"),
            ("PATH", "/evil"),
            ("https_proxy", "http://proxy"),
            ("GIT_DIR", "x.git"),
        ]);
        let variables = in_hook(&read, &["AWS_PROFILE".to_owned(), "UNSET".to_owned()]);
        let names: Vec<_> = variables.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, ["HOME", "https_proxy", "AWS_PROFILE"]);
    }
}
