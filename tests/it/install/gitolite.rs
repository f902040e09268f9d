//! gitolite: a common hook, which it links into every repository. Real gitolite, without ssh before it.
use super::host::{Listing, foreign, plain, script};
use crate::{tools::are_installed, world::World};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

/// gitolite with a home of its own in a world.
struct Gitolite {
    world: World,
    home: PathBuf,
}

impl Gitolite {
    /// With the repository `testing`, which everybody may push to.
    fn new() -> Option<Self> {
        if !are_installed(&["gitolite"]) {
            return None;
        }
        let world = plain();
        let home = world.path().join("home");
        fs::create_dir(&home).unwrap();
        let gitolite = Self { world, home };
        gitolite.run("gitolite", &["setup", "-a", "ada"]);
        let ssh = "#!/bin/sh\n\
                   for last; do :; done\n\
                   HOME=$GITOLITE_HOME SSH_ORIGINAL_COMMAND=$last SSH_CONNECTION='192.0.2.1 1 192.0.2.2 22' \
                   exec \"$(gitolite query-rc GL_BINDIR)/gitolite-shell\" ada\n";
        script(&gitolite.world.path().join("ssh"), ssh);
        gitolite.uses("testing");
        Some(gitolite)
    }

    fn command(&self, program: &str, args: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.world.path()).env("HOME", &self.home);
        command.env("PREFIX", self.world.path().join("prefix"));
        command.env("GIT_CONFIG_GLOBAL", self.world.path().join("gitconfig")).output().expect("it is installed")
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program, args);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// install.sh as gitolite's user.
    fn install(&self, args: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh");
        self.run("sh", &[&[script, "gitolite", "--binary", env!("CARGO_BIN_EXE_pullgate")], args].concat())
    }

    fn uses(&self, repository: &str) {
        self.world.git(&["remote", "set-url", "origin", &format!("git@example.com:{repository}")]).ok();
        let folder = self.home.join("repositories").join(format!("{repository}.git"));
        fs::copy(self.world.bare().join("pullgate.toml"), folder.join("pullgate.toml")).unwrap();
    }

    fn push(&self, name_and_tag: &str) -> crate::world::Push {
        self.world.deploy("app.yaml", name_and_tag);
        self.world.commit(name_and_tag);
        let ssh = self.world.path().join("ssh");
        let output = self.world.git(&["push", "origin", "main"]).env("GIT_SSH", ssh).env("GIT_SSH_VARIANT", "simple");
        let output = output.env("GITOLITE_HOME", &self.home).run();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        crate::world::Push { is_accepted: output.status.success(), text }
    }

    /// Everything but gitolite's log.
    fn listing(&self) -> Listing {
        fs::remove_dir_all(self.home.join(".gitolite/logs")).unwrap();
        fs::create_dir(self.home.join(".gitolite/logs")).unwrap();
        Listing::of(&self.home)
    }

    fn judges(&self) {
        self.world.registry.push("team/app", "1");
        self.push("team/app:1").accepted();
        self.push("team/app:missing").rejected(&["not found", "app.yaml:11:18"]);
    }
}

#[test]
fn gitolite_calls_the_hook() {
    let Some(gitolite) = Gitolite::new() else { return };
    gitolite.install(&[]);
    gitolite.judges();
}

#[test]
fn a_repository_that_gitolite_makes_later_has_it_too() {
    let Some(gitolite) = Gitolite::new() else { return };
    gitolite.install(&[]);
    let rules = gitolite.home.join(".gitolite/conf/gitolite.conf");
    let more = fs::read_to_string(&rules).unwrap() + "\nrepo later\n    RW+ = @all\n";
    fs::write(rules, more).unwrap();
    gitolite.run("gitolite", &["compile"]);
    gitolite.uses("later");
    gitolite.judges();
}

#[test]
fn the_folder_for_local_code_is_used_if_there_is_one() {
    let Some(gitolite) = Gitolite::new() else { return };
    let rc = gitolite.home.join(".gitolite.rc");
    let text = fs::read_to_string(&rc).unwrap().replace("%RC = (", "%RC = (\n    LOCAL_CODE => \"$ENV{HOME}/local\",");
    fs::write(&rc, text).unwrap();
    fs::create_dir(gitolite.home.join("local")).unwrap();
    let before = Listing::of(&gitolite.home.join("local"));
    gitolite.install(&[]);
    assert!(gitolite.home.join("local/hooks/common/pre-receive").exists());
    gitolite.push("team/app:missing").rejected(&["not found"]);
    gitolite.install(&["--uninstall"]);
    Listing::of(&gitolite.home.join("local")).is(&before);
}

#[test]
fn a_common_hook_that_was_there_is_asked_too_and_comes_back() {
    let Some(gitolite) = Gitolite::new() else { return };
    let common = gitolite.home.join(".gitolite/hooks/common");
    foreign(&common.join("pre-receive"), "mine", 0);
    gitolite.run("gitolite", &["setup", "--hooks-only"]);
    let before = Listing::of(&gitolite.home.join("repositories/testing.git/hooks"));
    let common_before = Listing::of(&common);
    gitolite.install(&[]);
    gitolite.push("team/app:missing").rejected(&["mine", "not found"]);
    gitolite.install(&["--uninstall"]);
    Listing::of(&common).is(&common_before);
    Listing::of(&gitolite.home.join("repositories/testing.git/hooks")).is(&before);
}

#[test]
fn a_repositorys_own_hook_that_gitolite_would_delete_is_not_touched() {
    let Some(gitolite) = Gitolite::new() else { return };
    foreign(&gitolite.home.join("repositories/testing.git/hooks/pre-receive"), "mine", 0);
    let before = gitolite.listing();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh");
    let refused = gitolite.command("sh", &[script, "gitolite", "--binary", env!("CARGO_BIN_EXE_pullgate")]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("testing.git/hooks/pre-receive"), "{said}");
    gitolite.listing().is(&before);
}

#[test]
fn root_installs_into_a_named_folder_and_says_what_gitolites_user_does_next() {
    let Some(gitolite) = Gitolite::new() else { return };
    let folder = gitolite.home.join(".gitolite");
    let said = gitolite.install(&[&folder.to_string_lossy()]);
    assert!(said.contains("gitolite setup --hooks-only"), "{said}");
    gitolite.run("gitolite", &["setup", "--hooks-only"]);
    gitolite.push("team/app:missing").rejected(&["not found"]);
    gitolite.install(&["--uninstall", &folder.to_string_lossy()]);
    let link = gitolite.home.join("repositories/testing.git/hooks/pre-receive");
    assert!(fs::symlink_metadata(link).is_err());
}

#[test]
fn uninstalling_leaves_everything_as_it_was() {
    let Some(gitolite) = Gitolite::new() else { return };
    let before = gitolite.listing();
    gitolite.install(&[]);
    let once = gitolite.listing();
    gitolite.install(&[]);
    gitolite.listing().is(&once);
    gitolite.install(&["--uninstall"]);
    gitolite.listing().is(&before);
}
