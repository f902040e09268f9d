//! What may go wrong: other users, read-only file systems, what is not there, odd paths.
use super::host::{Listing, foreign, installation, plain, said, script};
use crate::{
    git_command::git,
    tools::{are_installed, pass_over},
    world::{Called, World},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

const NOBODY: u32 = 65534;

fn is_root(world: &World) -> bool {
    let is_root = fs::metadata(world.path()).unwrap().uid() == 0;
    if !is_root {
        pass_over("only root can become another user or mount");
    }
    is_root
}

/// The repository and the folder for the program belong to nobody, who may enter the folder for temporary files.
fn nobodys(world: &World) {
    fs::set_permissions(world.path().parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(world.path().join("own")).unwrap();
    let given =
        Command::new("chown").args(["-R", "65534:65534", "fleet.git", "own"]).current_dir(world.path()).status();
    assert!(given.unwrap().success());
}

const AS_NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

#[test]
fn the_git_user_installs_what_is_its_own() {
    let world = plain();
    if !is_root(&world) || !are_installed(&["setpriv"]) {
        return;
    }
    nobodys(&world);
    let before = Listing::of(&world.bare());
    let script = "exec sh \"$0\" \"$@\" --binary /usr/bin/true";
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).unwrap();
    // The project may lie where the git user cannot read.
    let copy = world.path().join("own/install.sh");
    fs::create_dir(world.path().join("own/hooks")).unwrap();
    for name in ["pre-receive", "pre-receive-beside"] {
        let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks").join(name);
        fs::copy(hook, world.path().join("own/hooks").join(name)).unwrap();
    }
    fs::write(&copy, text).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(AS_NOBODY[0]);
        command.args(&AS_NOBODY[1..]).args(["sh", "-c", script]).arg(&copy).args(args).current_dir(world.path());
        let output = command.env("PREFIX", world.path().join("own")).env("HOME", "/nonexistent").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    run(&["bare", "fleet.git"]);
    assert_eq!(fs::metadata(world.bare().join("hooks/pre-receive")).unwrap().uid(), NOBODY);
    run(&["bare", "--uninstall", "fleet.git"]);
    Listing::of(&world.bare()).is(&before);
}

#[test]
fn what_root_installs_for_the_git_user_belongs_to_it_and_runs_as_it() {
    let world = plain();
    if !is_root(&world) || !are_installed(&["setpriv"]) {
        return;
    }
    nobodys(&world);
    fs::remove_dir_all(world.bare().join("hooks")).unwrap();
    let installed = world.install(&["gitlab", "fleet.git"]);
    assert!(installed.is_accepted, "{}", installed.text);
    let folder = world.bare().join("custom_hooks");
    for made in [folder.clone(), folder.join("pre-receive.d"), folder.join("pre-receive.d/50-pullgate")] {
        let about = fs::metadata(&made).unwrap();
        assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (NOBODY, NOBODY, 0o755), "{}", made.display());
    }
    let mut hook = Command::new(AS_NOBODY[0]);
    hook.args(&AS_NOBODY[1..]).arg(folder.join("pre-receive.d/50-pullgate")).current_dir(world.bare());
    Called::of(hook.env("GIT_DIR", "."), "nonsense\n").could_not_tell(&["line 1 of standard input"]);
}

#[test]
fn an_upgrade_keeps_the_owner_and_the_mode_of_the_hook() {
    let world = World::new();
    if !is_root(&world) {
        return;
    }
    let hook = world.bare().join("hooks/pre-receive");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o550)).unwrap();
    chown(&hook, Some(NOBODY), Some(NOBODY)).unwrap();
    let file = world.path().join("elsewhere.toml");
    fs::write(file, "").unwrap();
    let installed = world.install(&["bare", "--config", "elsewhere.toml", "fleet.git"]);
    assert!(installed.is_accepted && installed.text.contains("installed: "), "{}", installed.text);
    let about = fs::metadata(&hook).unwrap();
    assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (NOBODY, NOBODY, 0o550));
}

#[test]
fn who_may_not_write_is_told_who_may() {
    let world = plain();
    if !is_root(&world) || !are_installed(&["setpriv"]) {
        return;
    }
    fs::set_permissions(world.path().parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let before = Listing::of(&world.bare());
    // The script on standard input, for the project may lie where nobody can read.
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).unwrap();
    let mut command = Command::new(AS_NOBODY[0]);
    command.args(&AS_NOBODY[1..]).args(["sh", "-c", &text, "./install.sh", "bare", "fleet.git"]);
    let refused = Called::of(command.current_dir(world.path()).env("PREFIX", world.path().join("own")), "");
    refused.could_not_tell(&["cannot write to", "fleet.git/hooks", "be root or its owner, root"]);
    Listing::of(&world.bare()).is(&before);
}

fn read_only(shell: &str) {
    let world = plain();
    let shells: Vec<&str> = shell.split(' ').collect();
    if !is_root(&world) || !are_installed(&["unshare", shells[0]]) {
        return;
    }
    let before = Listing::of(&world.bare());
    let script = format!(
        "mount --bind fleet.git fleet.git && mount -o remount,ro,bind fleet.git || exit 77; \
         exec {shell} '{}' bare --binary /bin/true fleet.git",
        concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).current_dir(world.path()).env("PREFIX", world.path().join("own"));
    let output = command.output().unwrap();
    if output.status.code() == Some(77) {
        return pass_over("this machine cannot mount");
    }
    let said = said(&output);
    assert!(output.status.code() == Some(2) && said.contains("mount it writable if it is read-only"), "{said}");
    Listing::of(&world.bare()).is(&before);
}

#[test]
fn a_read_only_file_system_is_told_of() {
    read_only("sh");
}

#[test]
fn a_read_only_file_system_is_told_of_to_root_in_alpines_shell() {
    read_only("busybox sh");
}

#[test]
fn a_folder_that_is_not_there_is_told_of() {
    let world = plain();
    for target in ["bare", "gitea", "gitlab"] {
        let refused = world.install(&[target, "nowhere.git"]);
        assert!(!refused.is_accepted && refused.text.contains("nowhere.git: name the folder"), "{}", refused.text);
    }
}

#[test]
fn a_program_that_does_not_run_here_is_not_installed() {
    let world = plain();
    script(&world.path().join("program"), "#!/nonexistent/loader\n");
    let output = installation(&world, &["bare", "fleet.git"]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("does not run on this machine"), "{output:?}");
    assert!(!world.bare().join("hooks/pre-receive").exists());
}

#[test]
fn odd_characters_in_every_path_are_only_characters() {
    let world = plain();
    let odd = "it's \"odd\" & $(touch ran) | \\ ü";
    let repository = format!("{odd}.git");
    git(world.path()).args(["init", "-q", "--bare", "-b", "main", &repository]).ok();
    let configuration = world.path().join(format!("{odd}.toml"));
    fs::write(&configuration, "message = \"from the odd file\"\n").unwrap();
    foreign(&world.path().join(&repository).join("hooks/pre-receive"), "mine", 0);
    let before = Listing::of(world.path());
    let run = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).args(args).arg(&repository);
        command.args(["--binary", env!("CARGO_BIN_EXE_pullgate")]).current_dir(world.path());
        let output = command.env("PREFIX", world.path().join(odd)).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    run(&["bare", "--config", &configuration.to_string_lossy()]);
    world.git(&["remote", "set-url", "origin", &format!("../{repository}")]).ok();
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["mine", "from the odd file"]);
    run(&["bare", "--uninstall", "--purge"]);
    git(&world.clone_dir()).args(["update-ref", "-d", "HEAD"]).ok();
    let hooks = Listing::of(&world.path().join(&repository).join("hooks"));
    assert!(format!("{before:?}").contains("mine") && format!("{hooks:?}").contains("mine"));
    assert!(!world.path().join("ran").exists() && !world.path().join(odd).exists());
}
