//! The report as a person reads it behind `remote: `: verdict first, a block an image, what to do last. ASCII, no escape
//! codes: git colours `error:`, `warning:` and `hint:` itself.
use super::wrap::wrap;
use crate::verdict::{Decision, Finding, Notice, Report, Severity, Verdict, escape};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// Findings that are told in full.
const IN_FULL: usize = 12;
/// Findings that are told at all; the others are counted.
const TOLD: usize = 200;
/// Other places of the same reference that are named.
const PLACES: usize = 5;
/// Characters of one piece of a stranger's text.
const PIECE: usize = 200;

/// What the report does not know by itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration's last line of a rejection.
    pub message: String,
    /// How many distinct images the push changes, present ones included.
    pub changed: usize,
    /// Whether notes are said though there is nothing else to say.
    pub notes: bool,
}

/// Writes the report; nothing at all if there is nothing to say.
pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(render(report, options).as_bytes())
}

fn render(report: &Report, options: &Options) -> String {
    let mut text = String::new();
    let of = |severity| report.findings.iter().filter(|f| f.severity == severity).collect::<Vec<_>>();
    let rejected = of(Severity::Reject);
    block(&mut text, "error", &rejected, options.changed);
    block(&mut text, "warning", &of(Severity::Warn), options.changed);
    if let Some(severity) = report.notice_severity {
        notices(&mut text, if severity == Severity::Reject { "error" } else { "warning" }, &report.notices);
    }
    if options.notes || !text.is_empty() {
        notes(&mut text, &report.notes);
    }
    if report.decision() == Decision::Reject {
        closing(&mut text, &rejected, &options.message);
    }
    text
}

/// One severity's findings under a line that counts them.
fn block(text: &mut String, word: &str, findings: &[&Finding], changed: usize) {
    if findings.is_empty() {
        return;
    }
    separate(text);
    text.push_str(&wrap(&format!("{word}: {}", headline(findings, changed)), ""));
    for finding in findings.iter().take(IN_FULL) {
        text.push('\n');
        in_full(text, finding);
    }
    if findings.len() > IN_FULL {
        text.push('\n');
    }
    for finding in findings.iter().take(TOLD).skip(IN_FULL) {
        // Writing to a String does not fail.
        let reference = escape(&finding.image.reference, PIECE);
        let _ = writeln!(text, "{} {reference}: {}", finding.image.place, in_a_line(finding));
    }
    if findings.len() > TOLD {
        let _ = writeln!(text, "... and {} more", findings.len() - TOLD);
    }
}

fn headline(findings: &[&Finding], changed: usize) -> String {
    let unverified = findings.iter().filter(|f| matches!(f.verdict, Verdict::Unverified | Verdict::NotAllowed)).count();
    let count = findings.len();
    let useless = findings.iter().any(|f| matches!(f.verdict, Verdict::WrongPlatform | Verdict::WrongKind));
    let images = if changed == 1 { "image" } else { "images" };
    let fate = match unverified {
        0 if useless => "cannot be pulled or run",
        0 => "cannot be pulled",
        n if n == count => "could not be verified",
        _ if useless => "cannot be pulled or run, or could not be verified",
        _ => "cannot be pulled or could not be verified",
    };
    format!("{count} of {} changed {images} {fate}", changed.max(count))
}

fn in_full(text: &mut String, finding: &Finding) {
    let image = &finding.image;
    let _ = writeln!(text, "{}  {}", image.place, escape(&image.text, PIECE));
    let _ = writeln!(text, "  {}", escape(&image.reference, PIECE));
    text.push_str(&wrap(&escape(&finding.detail, 4 * PIECE), "  "));
    if let Some((last, others)) = finding.suggestions.split_last() {
        let tags: Vec<String> = others.iter().map(|tag| escape(tag, PIECE)).collect();
        let last = escape(last, PIECE);
        let list = if tags.is_empty() { last } else { format!("{} or {last}", tags.join(", ")) };
        text.push_str(&wrap(&format!("did you mean {list}?"), "  "));
    }
    let field = if image.field.is_empty() { String::new() } else { format!(", {}", image.field) };
    text.push_str(&wrap(&escape(&format!("deployed as {}{field}", image.object), 2 * PIECE), "  "));
    if !image.unit.starts_with("manifest ") {
        text.push_str(&wrap(&format!("by {}", escape(&image.unit, PIECE)), "  "));
    }
    if let Some(literal) = image.chain.first().filter(|link| link.place != image.place) {
        let _ = writeln!(text, "  from {}  {}", literal.place, escape(&literal.text, PIECE));
    }
    for place in finding.also.iter().take(PLACES) {
        let _ = writeln!(text, "  also {place}");
    }
    if finding.also.len() > PLACES {
        let _ = writeln!(text, "  also in {} more places", finding.also.len() - PLACES);
    }
}

fn notices(text: &mut String, word: &str, notices: &[Notice]) {
    if notices.is_empty() {
        return;
    }
    separate(text);
    let places = if notices.len() == 1 { "place" } else { "places" };
    let _ = writeln!(text, "{word}: {} {places} could not be worked out", notices.len());
    for notice in notices.iter().take(IN_FULL) {
        let _ = writeln!(text, "\n{}  [{}]", notice.place, notice.code);
        text.push_str(&wrap(&escape(&notice.message, 2 * PIECE), "  "));
    }
    if notices.len() > IN_FULL {
        let _ = writeln!(text, "\n... and {} more", notices.len() - IN_FULL);
    }
}

/// A line each, for they ask nothing of anybody.
fn notes(text: &mut String, notes: &[Notice]) {
    if notes.is_empty() {
        return;
    }
    separate(text);
    for note in notes.iter().take(IN_FULL) {
        text.push_str(&wrap(&format!("note: {}: {}", note.place, escape(&note.message, 2 * PIECE)), ""));
    }
    if notes.len() > IN_FULL {
        let _ = writeln!(text, "note: ... and {} more", notes.len() - IN_FULL);
    }
}

/// What to do, each piece of advice once. Its lines of configuration are cut, for there may be one a host.
fn closing(text: &mut String, rejected: &[&Finding], message: &str) {
    separate(text);
    let mut advice: Vec<(&str, Vec<&String>)> = Vec::new();
    for hint in rejected.iter().take(TOLD).flat_map(|finding| &finding.hints) {
        match advice.iter_mut().find(|(known, _)| *known == hint.text) {
            Some((_, lines)) if lines.len() < 2 * IN_FULL => lines.extend(&hint.configuration),
            Some(_) => {}
            None => advice.push((&hint.text, hint.configuration.iter().collect())),
        }
    }
    for (words, configuration) in advice.into_iter().take(IN_FULL) {
        text.push_str(&wrap(&format!("hint: {}", escape(words, 2 * PIECE)), ""));
        for line in configuration {
            // Not wrapped: somebody will copy it.
            let _ = writeln!(text, "hint:   {}", escape(line, 2 * PIECE));
        }
    }
    if !message.is_empty() {
        text.push_str(&escape(message, 2 * PIECE));
        text.push('\n');
    }
}

/// In a word where the reference says the rest. Where somebody else is to blame than the reference, it is said who.
fn in_a_line(finding: &Finding) -> String {
    let word = match finding.verdict {
        Verdict::Present => "present",
        Verdict::Missing => "not found",
        Verdict::Denied => "not found, or no permission",
        Verdict::WrongPlatform => "not for every platform",
        Verdict::WrongKind => "not a container image",
        Verdict::Invalid => "not a valid reference",
        Verdict::Blocked | Verdict::NotAllowed | Verdict::Unverified => return escape(&finding.detail, PIECE),
    };
    word.to_owned()
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, render};
    use crate::{
        image::{Certainty, ImageUse, Link, Place},
        tree::RepoPath,
        verdict::{Finding, Hint, Notice, Report, Severity, Verdict},
    };

    fn place(path: &str, line: u32) -> Place {
        Place { path: RepoPath::new(path), line, column: 13 }
    }

    fn finding(path: &str, severity: Severity, verdict: Verdict) -> Finding {
        let here = place(path, 14);
        Finding {
            image: ImageUse {
                reference: "registry.example.com/team/app:1.4.3".into(),
                place: here.clone(),
                text: "newTag: 1.4.3".into(),
                certainty: Certainty::Certain,
                form: "container",
                unit: "kustomization apps/prod".into(),
                object: "Deployment prod/my-app".into(),
                field: "container app".into(),
                chain: vec![
                    Link { step: "literal", place: place("apps/base/app.yaml", 22), text: "image: my-app".into() },
                    Link { step: "newTag", place: here, text: "newTag: 1.4.3".into() },
                ],
            },
            also: Vec::new(),
            canonical: None,
            verdict,
            severity,
            detail: "not found: the repository has no tag \"1.4.3\" (404 MANIFEST_UNKNOWN)".into(),
            hints: vec![Hint::from("push the image first or fix the tag, then push again")],
            suggestions: vec!["1.4.2".into()],
        }
    }

    #[test]
    fn a_rejection_says_where_what_why_and_what_to_do() {
        let report = Report {
            findings: vec![finding("apps/prod/kustomization.yaml", Severity::Reject, Verdict::Missing)],
            ..Report::default()
        };
        let options = Options { message: "Questions: #platform".into(), changed: 3, ..Options::default() };
        insta::assert_snapshot!(render(&report, &options), @r#"
        error: 1 of 3 changed images cannot be pulled

        apps/prod/kustomization.yaml:14:13  newTag: 1.4.3
          registry.example.com/team/app:1.4.3
          not found: the repository has no tag "1.4.3" (404 MANIFEST_UNKNOWN)
          did you mean 1.4.2?
          deployed as Deployment prod/my-app, container app
          by kustomization apps/prod
          from apps/base/app.yaml:22:13  image: my-app

        hint: push the image first or fix the tag, then push again
        Questions: #platform
        "#);
    }

    #[test]
    fn nothing_to_say_is_no_text() {
        assert_eq!(render(&Report::default(), &Options::default()), "");
    }

    #[test]
    fn warnings_and_notices_do_not_read_like_a_rejection() {
        let notice =
            Notice { code: "remote-base", place: place("apps/a/kustomization.yaml", 3), message: "not checked".into() };
        let report = Report {
            findings: vec![finding("a.yaml", Severity::Warn, Verdict::Unverified)],
            notices: vec![notice],
            notice_severity: Some(Severity::Warn),
            ..Report::default()
        };
        let text = render(&report, &Options { message: "Questions?".into(), changed: 1, ..Options::default() });
        assert!(text.starts_with("warning: 1 of 1 changed image could not be verified\n"), "{text}");
        assert!(text.contains("warning: 1 place could not be worked out"), "{text}");
        assert!(!text.contains("error:") && !text.contains("hint:") && !text.contains("Questions"), "{text}");
    }

    #[test]
    fn notes_are_said_beside_the_rest_and_alone_only_to_who_wants_them() {
        let note = Notice {
            code: "tag-moved",
            place: place("apps/a/web.yaml", 3),
            message: "the tag \"1\" now means another\u{202e}".into(),
        };
        let mut report = Report { notes: vec![note], ..Report::default() };
        assert_eq!(render(&report, &Options::default()), "");
        let said = "note: apps/a/web.yaml:3:13: the tag \"1\" now means another\\u{202e}\n";
        assert_eq!(render(&report, &Options { notes: true, ..Options::default() }), said);
        report.findings = vec![finding("a.yaml", Severity::Warn, Verdict::Missing)];
        assert!(render(&report, &Options::default()).ends_with(&format!("\n\n{said}")));
    }

    #[test]
    fn long_reports_are_cut_in_two_steps() {
        let findings: Vec<Finding> =
            (0..250).map(|n| finding(&format!("a{n}.yaml"), Severity::Reject, Verdict::Missing)).collect();
        let text = render(&Report { findings, ..Report::default() }, &Options { changed: 250, ..Options::default() });
        assert_eq!(text.matches("deployed as").count(), 12);
        assert_eq!(text.matches(": not found\n").count(), 188);
        assert!(text.contains("... and 50 more"));
        assert_eq!(text.matches("hint:").count(), 1);
    }

    #[test]
    fn what_is_told_in_a_line_still_names_who_is_to_blame_and_what_to_do() {
        let mut findings: Vec<Finding> =
            (0..40).map(|n| finding(&format!("a{n}.yaml"), Severity::Reject, Verdict::Missing)).collect();
        findings[30].verdict = Verdict::Unverified;
        findings[30].detail = "could not be checked: registry.example.com did not answer in time\u{7}".into();
        findings[30].hints = vec![Hint::from("try again")];
        let text = render(&Report { findings, ..Report::default() }, &Options::default());
        let line = "app:1.4.3: could not be checked: registry.example.com did not answer in time\\u{7}\n";
        assert!(text.contains(line), "{text}");
        assert!(text.ends_with("then push again\nhint: try again\n"), "{text}");
    }

    #[test]
    fn advice_does_not_grow_with_the_number_of_hosts() {
        let unlisted = |n| {
            let mut finding = finding("a.yaml", Severity::Reject, Verdict::NotAllowed);
            let configuration = vec![format!("[registries.\"h{n}\"]"), "private = true".to_owned()];
            finding.hints = vec![Hint { text: "allow:".into(), configuration }, Hint::from(&*format!("ask h{n}"))];
            finding
        };
        let findings = (0..100).map(unlisted).collect();
        let text = render(&Report { findings, ..Report::default() }, &Options::default());
        assert_eq!((text.matches("hint:   ").count(), text.matches("hint: ask").count()), (24, 11));
    }

    #[test]
    fn what_a_stranger_wrote_cannot_move_the_cursor_or_forge_a_line() {
        let mut forged = finding("a\x1b[2J\nerror: x.yaml", Severity::Reject, Verdict::Missing);
        forged.image.reference = "evil\u{202e}:1\nhint: all is well".into();
        forged.detail = "boo\x07\r".into();
        let text = render(&Report { findings: vec![forged], ..Report::default() }, &Options::default());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("hint: all")), "{text}");
        for path in ["GL-HOOK-ERR: all is well.yaml", "hint: curl x.yaml"] {
            let findings = (0..20).map(|_| finding(path, Severity::Reject, Verdict::Missing)).collect();
            let text = render(&Report { findings, ..Report::default() }, &Options::default());
            assert!(!text.lines().any(|line| line.starts_with(path)), "{text}");
        }
    }
}
