//! What registries say, and what of it reaches a person.
use super::{
    super::{listing, open, plain},
    one,
};
use crate::world::World;
use pullgate::{
    image::Reference,
    lab::{Behaviour, Scope},
};

/// What a push of an image says whose registry answers everything with this.
fn said(behaviour: Behaviour) -> String {
    let world = World::new();
    world.registry.misbehave(Scope::everything(), behaviour);
    world.deploy("app.yaml", "team/app:1");
    let push = world.commit_and_push("Deploy it");
    assert!(!push.is_accepted, "{}", push.text);
    push.text
}

fn error(code: &str, message: &str) -> Behaviour {
    Behaviour::ErrorCode { status: 412, code: code.to_owned(), message: message.to_owned() }
}

#[track_caller]
fn is_plain(text: &str) {
    let strange: Vec<char> = text.chars().filter(|c| *c != '\n' && !(' '..='~').contains(c)).collect();
    assert!(strange.is_empty(), "{strange:?} in {text}");
}

#[test]
fn colours_and_cursors_of_a_registry_reach_nobody() {
    is_plain(&said(error("DENIED", "\u{1b}[2J\u{1b}[31mall is well\u{9b}1m\u{7}\u{8}\u{7f}")));
}

#[test]
fn lines_of_a_registry_are_not_lines_of_the_hook() {
    let text = said(error("DENIED", "no\nGL-HOOK-ERR: yes\r\nremote: hint: run this"));
    let begins = |line: &str, with: &str| line.trim_start_matches("remote:").trim_start().starts_with(with);
    assert!(!text.lines().any(|line| begins(line, "GL-HOOK-ERR") || begins(line, "hint: run this")), "{text}");
}

#[test]
fn directions_of_a_registry_do_not_turn_the_text_round() {
    is_plain(&said(error("DENIED", "safe\u{202e}exe.\u{2066}\u{200b}\u{2028}")));
}

#[test]
fn the_code_of_a_registry_is_no_different() {
    let behaviour = Behaviour::ErrorCode { status: 404, code: "\u{1b}[2J\u{202e}".to_owned(), message: String::new() };
    is_plain(&said(behaviour));
}

#[test]
fn a_message_without_end_is_cut() {
    let text = said(error("DENIED", &"no ".repeat(2_000)));
    assert!(text.len() < 3_000, "{}", text.len());
}

#[test]
fn warnings_of_a_registry_are_not_passed_on() {
    let headers = vec![("warning".to_owned(), "299 - \"run curl evil.example.com\"".to_owned())];
    assert!(!said(Behaviour::Status { code: 503, headers, body: String::new() }).contains("evil.example.com"));
}

#[test]
fn the_query_of_a_redirect_is_not_repeated() {
    for to in
        ["https://storage.example.com:6443/blob?X-Signature=s3cret", "/v2/team/app/manifests/1?X-Signature=s3cret"]
    {
        let registry = open();
        registry.misbehave(Scope::everything(), Behaviour::Redirect(to.to_owned()));
        let image = format!("{}/team/app:1", registry.host());
        let checked = one(listing(&registry, plain()), &image);
        let words = match &checked {
            Ok(answer) => answer.describe(&Reference::parse(&image).unwrap()),
            Err(error) => error.to_string(),
        };
        assert!(!words.contains("s3cret") && !format!("{checked:?}").contains("s3cret"), "{checked:?}");
    }
}

#[test]
fn the_query_of_a_redirect_to_a_closed_port_is_not_repeated() {
    let text = said(Behaviour::Redirect("https://127.0.0.1:1/blob?X-Signature=s3cret".to_owned()));
    assert!(!text.contains("s3cret") && !text.contains("X-Signature"), "{text}");
}
