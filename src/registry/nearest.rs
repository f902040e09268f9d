//! "Did you mean": which of the tags that exist was meant by one that does not. Pure.
use super::version::Version;
use std::cmp::{Ordering, Reverse};

/// How many are suggested.
const SUGGESTIONS: usize = 3;
/// The most slips of the finger that still look like the same tag.
const SLIPS: usize = 3;
/// Longer tags, in bytes, are compared only if half of them is the same: nobody mistakes the others, and it takes time.
const SHORT: usize = 16;

/// How near a tag is, the nearest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nearness {
    /// 0 for the same written otherwise, then the slips between them; a neighbour in the order of versions counts as
    /// one slip more than the smallest.
    slips: usize,
    /// By how much the numbers differ, the first that does first.
    gap: Vec<u64>,
    /// How long the two begin alike.
    prefix: Reverse<usize>,
}

/// The tags that whoever wrote `wanted` may have meant, the most likely first.
pub(super) fn nearest(wanted: &str, tags: &[&str]) -> Vec<String> {
    let version = Version::of(wanted);
    let version = version.as_ref();
    let alike = tags.iter().filter(|tag| !is_of_a_tool(tag));
    let alike = alike.filter_map(|&tag| Some((nearness(wanted, version, tag)?, Reverse(tag))));
    let mut near: Vec<_> = alike.chain(neighbours(wanted, version, tags)).collect();
    near.sort();
    let mut suggested: Vec<String> = Vec::new();
    for (_, Reverse(tag)) in near {
        if suggested.len() < SUGGESTIONS && !suggested.iter().any(|known| known == tag) {
            suggested.push(tag.to_owned());
        }
    }
    suggested
}

/// Where a list in order is to begin so that what is near `wanted` comes soon: before the versions of its line, else
/// in the middle of the word.
pub(super) fn stem(wanted: &str) -> &str {
    Version::of(wanted).and_then(|version| version.line()).unwrap_or(&wanted[..wanted.len() / 2])
}

fn nearness(wanted: &str, version: Option<&Version<'_>>, tag: &str) -> Option<Nearness> {
    let theirs = Version::of(tag);
    let both = version.zip(theirs.as_ref());
    let slips = if both.is_some_and(|(ours, theirs)| ours.is_same(theirs)) || is_continued(wanted, tag) {
        0
    } else {
        slips(wanted, tag)?
    };
    Some(Nearness::new(wanted, tag, slips, both))
}

/// How many slips of the finger lie between two tags, if they are few.
fn slips(wanted: &str, tag: &str) -> Option<usize> {
    let most = (wanted.len() / 3).clamp(1, SLIPS);
    if wanted.len().abs_diff(tag.len()) > most {
        return None;
    }
    let prefix = wanted.bytes().zip(tag.bytes()).take_while(|(a, b)| a == b).count();
    let (ours, theirs) = (wanted.get(prefix..)?, tag.get(prefix..)?);
    let suffix = ours.bytes().rev().zip(theirs.bytes().rev()).take_while(|(a, b)| a == b).count();
    let (ours, theirs) = (ours.get(..ours.len() - suffix)?, theirs.get(..theirs.len() - suffix)?);
    if wanted.len() > SHORT && ours.len() > wanted.len() / 2 {
        return None;
    }
    Some(strsim::osa_distance(ours, theirs)).filter(|&slips| slips <= most)
}

impl Nearness {
    fn new(wanted: &str, tag: &str, slips: usize, versions: Option<(&Version<'_>, &Version<'_>)>) -> Self {
        let prefix = wanted.bytes().zip(tag.bytes()).take_while(|(a, b)| a == b).count();
        let gap = versions.map(|(ours, theirs)| ours.gap(theirs)).unwrap_or_default();
        Self { slips, gap, prefix: Reverse(prefix) }
    }
}

/// The versions of the same kind just below and above; below `latest`, which is a version that somebody forgot to write,
/// the greatest of all.
fn neighbours<'t>(
    wanted: &str,
    version: Option<&Version<'_>>,
    tags: &[&'t str],
) -> impl Iterator<Item = (Nearness, Reverse<&'t str>)> {
    let kin = || {
        tags.iter().filter_map(|&tag| Version::of(tag)).filter(|theirs| match version {
            Some(ours) => ours.is_of_a_kind(theirs),
            None => wanted == "latest" && theirs.is_plain(),
        })
    };
    let order = |theirs: &Version<'_>| version.map_or(Ordering::Less, |ours| theirs.cmp_numbers(ours));
    let below = kin().filter(|theirs| order(theirs).is_lt()).max_by(Version::cmp_numbers);
    let above = kin().filter(|theirs| order(theirs).is_gt()).min_by(Version::cmp_numbers);
    below.into_iter().chain(above).map(move |theirs| {
        let both = version.map(|ours| (ours, &theirs));
        (Nearness::new(wanted, theirs.tag, 2, both), Reverse(theirs.tag))
    })
}

/// Whether one is the other with something more behind it: `1.4` and `1.4-alpine`, a commit's short id and its long one.
fn is_continued(wanted: &str, tag: &str) -> bool {
    let (short, long) = if wanted.len() < tag.len() { (wanted, tag) } else { (tag, wanted) };
    let Some(rest) = long.strip_prefix(short).filter(|_| short.len() >= 3) else { return false };
    let is_commit = short.len() >= 7 && long.bytes().all(|b| b.is_ascii_hexdigit());
    let more = rest.strip_prefix(['-', '.', '_']);
    // Whoever wrote 1.4.3 did not mean 1.4, but whoever wrote 1.4 may have meant 1.4.3.
    let is_part = more.is_some_and(|more| short == wanted || !more.starts_with(|c: char| c.is_ascii_digit()));
    is_part || is_commit
}

/// What cosign and its like keep beside an image: `sha256-<digest>.sig`.
fn is_of_a_tool(tag: &str) -> bool {
    let digits = tag.strip_prefix("sha256-").and_then(|rest| rest.get(..64));
    digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::{nearest, stem};

    #[test]
    fn a_slip_of_the_finger_comes_before_a_neighbour_and_a_small_gap_before_a_large_one() {
        assert_eq!(nearest("1.4.3", &["1.4.2", "1.5.0", "1.14.3"]), ["1.4.2", "1.14.3", "1.5.0"]);
        assert_eq!(
            nearest("1.4.3", &["1.4.2", "2.0.0", "1.4.1", "latest", "1.3.3", "1.4.4"]),
            ["1.4.4", "1.4.2", "1.4.1"]
        );
    }

    #[test]
    fn a_version_that_was_never_made_has_neighbours() {
        assert_eq!(nearest("2.0.0", &["1.9.8", "1.9.12", "1.9.9", "edge"]), ["1.9.12"]);
        assert_eq!(
            nearest("1.30.0-alpine", &["1.29.4-alpine", "1.29.5", "1.31.2-alpine"]),
            ["1.31.2-alpine", "1.29.4-alpine"]
        );
        assert_eq!(
            nearest("2024-05-01", &["2024-04-28", "2024-05-12", "2023-01-01"])[..2],
            ["2024-05-12", "2024-04-28"]
        );
    }

    #[test]
    fn the_same_version_written_otherwise_comes_first() {
        assert_eq!(nearest("v1.4.3", &["v1.4.2", "1.4.3", "v2.9.9"])[0], "1.4.3");
        assert_eq!(nearest("1.4.3", &["1", "1.4", "1.4.2"]), ["1.4.2"]);
        assert_eq!(nearest("1.4", &["1.4.0", "1.3", "1.5"])[0], "1.4.0");
        assert_eq!(nearest("1.4.3", &["1.4.2", "1.4.3-alpine"])[0], "1.4.3-alpine");
        assert_eq!(nearest("1.4.3-alpine", &["1.4.2-alpine", "1.4.3"])[0], "1.4.3");
    }

    #[test]
    fn words_are_nearest_by_their_letters() {
        assert_eq!(nearest("lastest", &["latest", "edge"]), ["latest"]);
        assert_eq!(nearest("bookwrom-slim", &["bookworm-slim", "bookworm", "bullseye-slim"])[0], "bookworm-slim");
        assert!(nearest("stable", &["main-0a1b2c3", "main-4d5e6f7"]).is_empty());
    }

    #[test]
    fn who_asks_for_latest_is_told_the_greatest_version() {
        assert_eq!(nearest("latest", &["1.9.0", "1.10.2", "2.0.0-rc1", "v1.2.3", "main-12.1"]), ["1.10.2"]);
    }

    #[test]
    fn a_commit_may_be_written_short_or_long() {
        let long = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
        assert_eq!(nearest("0a1b2c3", &[long, "0a1b2d4"])[0], long);
        assert_eq!(nearest(long, &["0a1b2c3d", "ffffffff"]), ["0a1b2c3d"]);
    }

    #[test]
    fn what_tools_keep_beside_images_is_never_meant() {
        let signature = format!("sha256-{}.sig", "a".repeat(64));
        let wanted = format!("sha256-{}.sit", "a".repeat(64));
        assert!(nearest(&wanted, &[&signature]).is_empty());
    }

    #[test]
    fn long_tags_are_near_only_if_they_have_much_in_common() {
        let long: Vec<String> = (0..500).map(|n| format!("{n:0120}")).collect();
        let tags: Vec<&str> = long.iter().map(String::as_str).collect();
        assert!(nearest(&"y".repeat(120), &tags).is_empty());
        assert_eq!(nearest(&long[7].replace("0007", "0077"), &tags)[0], long[77]);
    }

    #[test]
    fn a_list_in_order_begins_before_the_line_of_the_version() {
        assert_eq!(stem("1.4.3"), "1.4");
        assert_eq!(stem("v1.27.4-alpine3.20"), "v1.27");
        assert_eq!(stem("lastest"), "las");
        assert_eq!(stem("20240501"), "2024");
        assert_eq!(stem("1"), "");
    }
}
