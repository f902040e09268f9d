//! Killed half-way, and many at once.
use super::host::{Listing, PROGRAM, foreign, installation, plain, said, script};
use crate::world::World;
use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The commands that change something, each of which kills the whole process group instead if it is the one numbered AT.
fn deadly_commands(world: &World) {
    let folder = world.path().join("deadly");
    for name in ["mktemp", "mkdir", "chown", "chmod", "cp", "ln", "mv", "rm", "rmdir", "awk"] {
        let text = format!(
            "#!/bin/sh\nread -r count <\"$COUNT\"\ncount=$((count + 1))\necho $count >\"$COUNT\"\n\
             [ $count != \"$AT\" ] || kill -9 0\nPATH=/usr/bin:/bin exec {name} \"$@\"\n"
        );
        script(&folder.join(name), &text);
    }
}

/// Kills an installation, or its undoing, before each of its steps in turn; `check` looks at what is left each time.
fn killed_at_every_step(world: &World, args: &[&str], prepare: impl Fn(), check: impl Fn()) {
    let count = world.path().join("count");
    for at in 1.. {
        prepare();
        fs::write(&count, "0\n").unwrap();
        let path = format!("{}:/usr/bin:/bin", world.path().join("deadly").display());
        let mut command = installation(world, args);
        command.env("PATH", path).env("COUNT", &count).env("AT", at.to_string()).process_group(0);
        let output = command.output().unwrap();
        fs::remove_file(&count).unwrap();
        check();
        if output.status.success() {
            assert!(at > 10, "only {at} steps");
            return;
        }
        assert!(output.status.code().is_none(), "step {at}: {}", said(&output));
    }
}

/// A repository with another hook, whose folder can be put back into its first state.
struct Subject<'w> {
    world: &'w World,
    first: PathBuf,
}

impl<'w> Subject<'w> {
    fn new(world: &'w World) -> Self {
        foreign(&world.bare().join("hooks/pre-receive"), "mine", 0);
        let first = world.path().join("first");
        fs::rename(world.bare(), &first).unwrap();
        deadly_commands(world);
        let subject = Self { world, first };
        subject.reset();
        subject.run(&["bare", "fleet.git"]);
        subject
    }

    fn reset(&self) {
        let _ = fs::remove_dir_all(self.world.bare());
        let _ = fs::remove_dir_all(self.world.path().join("own"));
        let copied = Command::new("cp").arg("-a").arg(&self.first).arg(self.world.bare()).status().unwrap();
        assert!(copied.success());
    }

    fn run(&self, args: &[&str]) {
        let output = installation(self.world, args).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    fn hook(&self) -> String {
        let file = self.world.bare().join("hooks/pre-receive");
        assert!(fs::metadata(&file).unwrap().permissions().mode() & 0o111 == 0o111);
        fs::read_to_string(file).unwrap()
    }
}

#[test]
fn killed_at_any_moment_an_installation_leaves_one_hook_or_the_other_and_can_be_finished_and_undone() {
    let world = plain();
    let subject = Subject::new(&world);
    let installed = subject.hook();
    subject.reset();
    let (kept, before) = (subject.hook(), Listing::of(world.path()));
    let check = || {
        let hook = subject.hook();
        assert!(hook == installed || hook == kept, "{hook}");
        let program = fs::read_to_string(world.path().join("own/bin/pullgate"));
        assert!(program.is_err() || program.unwrap() == PROGRAM);
        subject.run(&["bare", "fleet.git"]);
        assert_eq!(subject.hook(), installed);
        subject.run(&["bare", "--uninstall", "--purge", "fleet.git"]);
        Listing::of(world.path()).is(&before);
    };
    killed_at_every_step(&world, &["bare", "fleet.git"], || subject.reset(), check);
}

#[test]
fn killed_at_any_moment_an_uninstallation_leaves_one_hook_or_the_other_and_can_be_finished() {
    let world = plain();
    let subject = Subject::new(&world);
    let installed = subject.hook();
    subject.reset();
    let (kept, before) = (subject.hook(), Listing::of(world.path()));
    let prepare = || {
        subject.reset();
        subject.run(&["bare", "fleet.git"]);
    };
    let check = || {
        let hook = subject.hook();
        assert!(hook == installed || hook == kept, "{hook}");
        subject.run(&["bare", "--uninstall", "--purge", "fleet.git"]);
        Listing::of(world.path()).is(&before);
    };
    killed_at_every_step(&world, &["bare", "--uninstall", "--purge", "fleet.git"], prepare, check);
}

#[test]
fn many_installations_at_once_are_as_one() {
    let world = plain();
    let subject = Subject::new(&world);
    let complete = Listing::of(world.path());
    for _ in 0..3 {
        subject.reset();
        let start =
            |_| installation(&world, &["bare", "fleet.git"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let running: Vec<_> = (0..8).map(|each| start(each).unwrap()).collect();
        for child in running {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
        Listing::of(world.path()).is(&complete);
    }
}
