//! Tags that are versions: `v1.4.3-alpine`, `1.27`, `2024-05-01`. Pure.
use std::cmp::Ordering;

/// A tag with numbers in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version<'t> {
    pub(super) tag: &'t str,
    /// Before the first number.
    prefix: &'t str,
    /// Joined by dots, hyphens or underscores.
    numbers: Vec<u64>,
    /// Behind the last of them.
    suffix: &'t str,
}

impl<'t> Version<'t> {
    /// `None` if there is no number in the tag, or one that is none of a version.
    pub(super) fn of(tag: &'t str) -> Option<Self> {
        let start = tag.find(|c: char| c.is_ascii_digit())?;
        let mut numbers = Vec::new();
        let mut rest = &tag[start..];
        loop {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            numbers.push(rest[..digits].parse().ok()?);
            rest = &rest[digits..];
            match rest.strip_prefix(['.', '-', '_']) {
                Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
                _ => return Some(Self { tag, prefix: &tag[..start], numbers, suffix: rest }),
            }
        }
    }

    /// Whether both name the same version, as `v1.4` and `1.4.0` do.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_letter_apart = self.prefix.trim_end_matches(['v', 'V']) == other.prefix.trim_end_matches(['v', 'V']);
        is_letter_apart && self.suffix == other.suffix && trimmed(&self.numbers) == trimmed(&other.numbers)
    }

    /// Whether they differ in nothing but their numbers.
    pub(super) fn is_of_a_kind(&self, other: &Self) -> bool {
        (self.prefix, self.suffix, self.numbers.len()) == (other.prefix, other.suffix, other.numbers.len())
    }

    /// Whether there is nothing but a version, of at least two numbers.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.prefix, "" | "v") && self.suffix.is_empty() && self.numbers.len() >= 2
    }

    pub(super) fn cmp_numbers(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }

    /// By how much the numbers differ, one after the other.
    pub(super) fn gap(&self, other: &Self) -> Vec<u64> {
        let number = |version: &Self, at: usize| version.numbers.get(at).copied().unwrap_or_default();
        let length = self.numbers.len().max(other.numbers.len());
        (0..length).map(|at| number(self, at).abs_diff(number(other, at))).collect()
    }

    /// Everything before the last number and its separator; `None` if there is but one.
    pub(super) fn line(&self) -> Option<&'t str> {
        let whole = &self.tag[..self.tag.len() - self.suffix.len()];
        (self.numbers.len() > 1).then(|| whole.trim_end_matches(|c: char| c.is_ascii_digit())).map(|line| {
            // The separator is one byte.
            &line[..line.len() - 1]
        })
    }
}

/// Without zeros at the end, but never without the first number.
fn trimmed(numbers: &[u64]) -> &[u64] {
    let length = numbers.iter().rposition(|&number| number != 0).map_or(1, |at| at + 1);
    &numbers[..length]
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn version(tag: &str) -> Version<'_> {
        Version::of(tag).unwrap()
    }

    #[test]
    fn a_version_is_what_stands_before_its_numbers_they_and_what_stands_behind() {
        for (tag, prefix, numbers, suffix) in [
            ("1.4.3", "", &[1, 4, 3][..], ""),
            ("v1.27-alpine3.20", "v", &[1, 27], "-alpine3.20"),
            ("2024-05-01", "", &[2024, 5, 1], ""),
            ("1.4.3-rc1", "", &[1, 4, 3], "-rc1"),
            ("8-jdk", "", &[8], "-jdk"),
            ("release-7", "release-", &[7], ""),
        ] {
            let found = version(tag);
            assert_eq!((found.prefix, &found.numbers[..], found.suffix), (prefix, numbers, suffix), "{tag}");
        }
        assert_eq!(Version::of("latest"), None);
        assert_eq!(Version::of("99999999999999999999999"), None);
    }

    #[test]
    fn the_same_version_may_be_written_in_several_ways() {
        assert!(version("v1.4").is_same(&version("1.4.0")) && version("1.0").is_same(&version("1")));
        assert!(!version("1.4").is_same(&version("1.4.1")) && !version("1.4-alpine").is_same(&version("1.4")));
        assert!(!version("0").is_same(&version("1")) && !version("app-1").is_same(&version("web-1")));
    }

    #[test]
    fn the_line_of_a_version_is_what_it_has_in_common_with_its_neighbours() {
        assert_eq!(version("v1.4.3-alpine").line(), Some("v1.4"));
        assert_eq!(version("2024-05-01").line(), Some("2024-05"));
        assert_eq!(version("v42").line(), None);
    }
}
