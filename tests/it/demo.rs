//! README's first command, as a new user sees it.
use std::process::Command;

#[test]
fn the_demo_shows_an_accepted_and_a_rejected_push() {
    let output = Command::new(env!("CARGO_BIN_EXE_pullgate")).arg("demo").output().expect("the program runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    for words in
        ["main -> main\n", "remote: error: 1 of 1 changed image cannot be pulled", "did you mean 1.4.2", "declined"]
    {
        assert!(text.contains(words), "{words:?} not in\n{text}");
    }
}

#[test]
fn the_demo_works_inside_a_hook_of_another_repository() {
    let demo = Command::new(env!("CARGO_BIN_EXE_pullgate"))
        .arg("demo")
        .env("GIT_DIR", "/nonexistent")
        .env("GIT_OBJECT_DIRECTORY", "/nonexistent/objects")
        .output()
        .expect("the program runs");
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
}
