//! The image transformer: which references an `images:` entry matches, and what it makes of them, part by part.
use crate::image::{Link, Place};
use regex::{Regex, RegexBuilder};
use std::sync::OnceLock;

/// The `images:` of one kustomization, in order.
#[derive(Debug, Default)]
pub struct Layer {
    pub(super) entries: Vec<Entry>,
}

/// One entry of `images:`.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) new_name: Option<Part>,
    pub(super) new_tag: Option<Part>,
    pub(super) digest: Option<Part>,
    pub(super) tag_suffix: Option<Part>,
    pattern: OnceLock<Option<Regex>>,
}

/// A piece of a reference and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) link: Link,
}

/// A reference on its way through the layers; every part keeps the place that a person would edit.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
    name_from: Link,
    tag_from: Link,
    digest_from: Link,
    chain: Vec<Link>,
}

impl Image {
    /// The reference as it stands in an object.
    pub fn literal(text: &str, link: Link) -> Self {
        let (name, tag, digest) = split(text);
        Self {
            name,
            tag,
            digest,
            name_from: link.clone(),
            tag_from: link.clone(),
            digest_from: link.clone(),
            chain: vec![link],
        }
    }

    /// The reference as text; by plain concatenation, as kustomize does it.
    pub fn text(&self) -> String {
        let mut text = self.name.clone();
        for (sign, part) in [(':', &self.tag), ('@', &self.digest)] {
            if let Some(part) = part {
                text.push(sign);
                text.push_str(part);
            }
        }
        text
    }

    /// From the literal to the last override.
    pub fn chain(&self) -> &[Link] {
        &self.chain
    }

    /// Whether a layer has rewritten it.
    pub fn is_overridden(&self) -> bool {
        self.chain.len() > 1
    }

    /// The value to edit: the part that decides which image is pulled, and of several the first that `preferred` likes
    /// (a part in a file that the push changes).
    pub fn decisive(&self, preferred: impl Fn(&Place) -> bool) -> &Link {
        let tag = self.tag.as_ref().map(|_| &self.tag_from);
        let digest = self.digest.as_ref().map(|_| &self.digest_from);
        let name = Some(&self.name_from);
        let by_interest = [tag, digest, name];
        by_interest
            .into_iter()
            .flatten()
            .find(|link| preferred(&link.place))
            .or(digest)
            .or(tag)
            .unwrap_or(&self.name_from)
    }
}

impl Layer {
    /// Whether the layer does nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What it costs to hold an image against it, in entries; a regular expression counts for many.
    pub fn cost(&self) -> usize {
        self.entries.iter().map(|entry| if entry.is_plain() { 1 } else { 100 }).sum()
    }

    /// Rewrites `image`, which stands at the field `path` (keys joined by `/`, list indices left out) of an object.
    ///
    /// Every entry makes two passes, as in kustomize: one over every list under `containers` and `initContainers` at any
    /// depth, one over fixed fields. A container of a pod template is met by both, which is why a `tagSuffix` doubles
    /// there.
    pub fn apply(&self, image: &mut Image, path: &str) {
        let by_list = path.ends_with("/containers/image")
            || path.ends_with("/initContainers/image")
            || matches!(path, "containers/image" | "initContainers/image");
        let by_field = FIELD_SPECS.contains(&path);
        for entry in &self.entries {
            for _ in 0..usize::from(by_list) + usize::from(by_field) {
                if entry.matches(&image.text()) {
                    entry.rewrite(image);
                }
            }
        }
    }
}

/// kustomize's built-in field specs for images.
const FIELD_SPECS: &[&str] = &[
    "spec/containers/image",
    "spec/initContainers/image",
    "spec/volumes/image/reference",
    "spec/template/spec/containers/image",
    "spec/template/spec/initContainers/image",
    "spec/template/spec/volumes/image/reference",
];

impl Entry {
    fn is_plain(&self) -> bool {
        !self.name.contains(|c: char| "\\+*?()[]{}|^$".contains(c))
    }

    fn matches(&self, image: &str) -> bool {
        if self.is_plain() {
            return self.matches_plainly(image);
        }
        self.pattern.get_or_init(|| self.compile()).as_ref().is_some_and(|pattern| pattern.is_match(image))
    }

    /// kustomize puts the name into a regular expression as it stands, so `foo|bar` means a prefix or a suffix.
    fn compile(&self) -> Option<Regex> {
        let tag = r"(:[a-zA-Z0-9_.{}-]*)?";
        let digest = r"(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
        RegexBuilder::new(&format!("^{}{tag}{digest}$", self.name)).size_limit(1 << 20).build().ok()
    }

    /// The same for a name whose only special character is the dot, without a regular expression.
    fn matches_plainly(&self, image: &str) -> bool {
        let mut rest = image.chars();
        let same =
            self.name.chars().all(|wanted| rest.next().is_some_and(|c| c == wanted || (wanted == '.' && c != '\n')));
        same && is_tag_and_digest(rest.as_str())
    }

    fn rewrite(&self, image: &mut Image) {
        let (name, tag, digest) = split(&image.text());
        // Splitting the text again can cut it elsewhere than its parts were joined (`newName: foo:3`).
        if tag != image.tag {
            image.tag_from = image.name_from.clone();
        }
        (image.name, image.tag, image.digest) = (name, tag, digest);
        let mut links = Vec::new();
        if let Some(part) = &self.new_name {
            image.name.clone_from(&part.text);
            image.name_from = part.link.clone();
            links.push(part);
        }
        match (&self.new_tag, &self.digest, &self.tag_suffix) {
            (None, None, Some(suffix)) => {
                image.tag.get_or_insert_default().push_str(&suffix.text);
                image.tag_from = suffix.link.clone();
                image.digest = None;
                links.push(suffix);
            }
            (None, None, None) => {}
            (tag, digest, _) => {
                for (part, field, from) in
                    [(tag, &mut image.tag, &mut image.tag_from), (digest, &mut image.digest, &mut image.digest_from)]
                {
                    *field = part.as_ref().map(|part| part.text.clone());
                    if let Some(part) = part {
                        *from = part.link.clone();
                        links.push(part);
                    }
                }
            }
        }
        for part in links {
            if !image.chain.contains(&part.link) {
                image.chain.push(part.link.clone());
            }
        }
    }
}

/// Whether `rest` is `[:tag][@algorithm:digest]` in kustomize's sense, which is wider than a reference's.
fn is_tag_and_digest(rest: &str) -> bool {
    let loose = |c: char| c.is_ascii_alphanumeric() || "_.{}-".contains(c);
    let rest = rest.strip_prefix(':').map_or(rest, |tag| tag.trim_start_matches(loose));
    let Some((algorithm, hex)) = rest.strip_prefix('@').and_then(|digest| digest.split_once(':')) else {
        return rest.is_empty();
    };
    let component = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    algorithm.split(['.', '+', '_', '-']).all(component) && hex.chars().all(loose)
}

/// Name, tag and digest as kustomize cuts them: the signs count only behind the first `/`.
fn split(image: &str) -> (String, Option<String>, Option<String>) {
    let start = image.find('/').filter(|&at| at > 0).unwrap_or(0);
    let at = |sign| image[start..].find(sign).map(|found| start + found);
    let (colon, ampersat) = (at(':'), at('@'));
    let owned = |text: &str| Some(text.to_owned());
    match (colon, ampersat) {
        (Some(c), Some(a)) if c < a => (image[..c].to_owned(), owned(&image[c + 1..a]), owned(&image[a + 1..])),
        (_, Some(a)) => (image[..a].to_owned(), None, owned(&image[a + 1..])),
        (Some(c), None) => (image[..c].to_owned(), owned(&image[c + 1..]), None),
        (None, None) => (image.to_owned(), None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Image, Layer, Part};
    use crate::{
        image::{Link, Place},
        tree::RepoPath,
    };

    fn link(step: &'static str, path: &str) -> Link {
        Link { step, place: Place { path: RepoPath::new(path), line: 1, column: 1 }, text: String::new() }
    }

    /// `name newName newTag digest tagSuffix`, `-` for absent.
    fn entry(spec: &str) -> Entry {
        let part = |index: usize, step| {
            let text = spec.split(' ').nth(index).filter(|&text| text != "-")?;
            Some(Part { text: text.to_owned(), link: link(step, "k") })
        };
        Entry {
            name: part(0, "name").map_or_else(String::new, |p| p.text),
            new_name: part(1, "newName"),
            new_tag: part(2, "newTag"),
            digest: part(3, "digest"),
            tag_suffix: part(4, "tagSuffix"),
            ..Entry::default()
        }
    }

    fn applied(specs: &[&str], image: &str, path: &str) -> String {
        let mut value = Image::literal(image, link("literal", "d"));
        Layer { entries: specs.iter().map(|spec| entry(spec)).collect() }.apply(&mut value, path);
        value.text()
    }

    const POD: &str = "spec/template/spec/containers/image";
    const CRON: &str = "spec/jobTemplate/spec/template/spec/containers/image";

    #[test]
    fn the_update_table_holds() {
        for (spec, before, after) in [
            ("app r.io/app 2 - -", "app:1", "r.io/app:2"),
            ("app - 2 - -", "app@sha256:aa", "app:2"),
            ("app - - sha256:bb -", "app:1", "app@sha256:bb"),
            ("app - 2 sha256:bb -", "app:1", "app:2@sha256:bb"),
            ("app r.io/app - - -", "app:1@sha256:aa", "r.io/app:1@sha256:aa"),
            ("app foo:3 - - -", "app:1", "foo:3:1"),
            ("app - - bb -", "app", "app@bb"),
        ] {
            assert_eq!(applied(&[spec], before, POD), after, "{spec} on {before}");
        }
    }

    #[test]
    fn a_name_is_matched_whole_and_as_written() {
        for (name, image, hit) in [
            ("nginx", "nginx:1", true),
            ("nginx", "docker.io/nginx:1", false),
            ("docker.io/nginx", "docker.io/nginx", true),
            ("nginx", "nginx-exporter:1", false),
            ("nginx", "nginx:$(TAG)", false),
            ("nginx", "nginx:{TAG}", true),
            ("reg:5000/a", "reg:5000/a:1", true),
            ("a.b", "axb:1", true),
            ("foo|bar", "foobaz", true),
            ("foo|bar", "x/bar:1", true),
            ("ng[a-z]+x", "nginx:1", true),
            ("ng[", "ng[", false),
            ("nginx:1.0", "nginx:1.0", true),
        ] {
            assert_eq!(applied(&[&format!("{name} HIT - - -")], image, POD).contains("HIT"), hit, "{name} on {image}");
        }
    }

    #[test]
    fn a_suffix_doubles_where_both_passes_meet() {
        assert_eq!(applied(&["nginx - - - -x"], "nginx:1.0", POD), "nginx:1.0-x-x");
        assert_eq!(applied(&["nginx - - - -x"], "nginx:1.0", CRON), "nginx:1.0-x");
        assert_eq!(applied(&["nginx - - - -x"], "nginx:1.0", "spec/volumes/image/reference"), "nginx:1.0-x");
    }

    #[test]
    fn ephemeral_containers_and_other_fields_are_left_alone() {
        assert_eq!(applied(&["nginx - 2 - -"], "nginx:1", "spec/ephemeralContainers/image"), "nginx:1");
        assert_eq!(applied(&["nginx - 2 - -"], "nginx:1", "spec/template/spec/sidecars/image"), "nginx:1");
    }

    #[test]
    fn entries_apply_in_order_each_to_the_result_of_the_last() {
        assert_eq!(applied(&["a b 1 - -", "b c - - -"], "a:0", POD), "c:1");
        assert_eq!(applied(&["b c - - -", "a b 1 - -"], "a:0", POD), "b:1");
    }

    #[test]
    fn the_decisive_part_is_the_changed_one_or_what_is_pulled() {
        let mut image = Image::literal("app:1", link("literal", "base"));
        Layer { entries: vec![entry("app r.io/app - - -")] }.apply(&mut image, POD);
        assert_eq!(image.decisive(|_| false).step, "literal");
        assert_eq!(image.decisive(|place| place.path == RepoPath::new("k")).step, "newName");
        Layer { entries: vec![entry("r.io/app - 2 sha256:aa -")] }.apply(&mut image, POD);
        assert_eq!(image.decisive(|_| false).step, "digest");
        assert_eq!(image.decisive(|_| true).step, "newTag");
    }
}
