//! The README says what is: its configuration is understood, its commands exist, its floors are the layer test's.
use pullgate::config::Search;
use std::{fs, path::Path, process::Command};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("there is a README")
}

#[test]
fn it_has_less_than_two_hundred_lines() {
    assert!(readme().lines().count() < 200);
}

#[test]
fn its_configuration_is_understood() {
    let text = readme();
    let example =
        text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("there is an example");
    let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
    let file = folder.path().join("config.toml");
    fs::write(&file, example).expect("the folder is writable");
    let config = Search { named: Some(file), repository: None }.load().expect("the example is a configuration");
    assert_eq!(config.message(), "Questions: #platform");
}

#[test]
fn its_commands_are_the_programs() {
    let help = Command::new(env!("CARGO_BIN_EXE_pullgate")).arg("--help").output().expect("the program runs");
    let help = String::from_utf8(help.stdout).expect("help is text");
    for command in ["pre-receive", "images", "demo"] {
        assert!(help.contains(command) && readme().contains(command), "{command}: {help}");
    }
}
