//! Platforms: what a node is, what an image is for, and whether the one runs the other, as containerd decides it.
use std::fmt;

/// An operating system and a processor, such as `linux/arm64`, by their usual names: `aarch64` is `arm64`, and variants
/// that say nothing more (`arm64/v8`, `amd64/v1`) are left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    /// Empty if there is none.
    variant: String,
}

impl Platform {
    /// From the parts as an image names them.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let [os, architecture, variant] = [os, architecture, variant].map(str::to_ascii_lowercase);
        let os = if os == "macos" { "darwin".to_owned() } else { os };
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("i386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", "" | "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", "9" | "v9" | "9.0" | "v9.0") => ("arm64", "v9"),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7" | "v7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6" | "v6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            alike => alike,
        };
        Self { os, architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// Reads `os/architecture` or `os/architecture/variant`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [os, architecture, ..] if parts.len() <= 3 && parts.iter().all(is_word) => {
                Some(Self::new(os, architecture, parts.get(2).copied().unwrap_or_default()))
            }
            _ => None,
        }
    }

    /// Whether nobody can run this: attestations in an index say `unknown/unknown`.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }

    /// Whether a node of this platform takes an image for `other`. It takes what older processors of its kind run, and
    /// what their 32-bit predecessors run.
    pub fn takes(&self, other: &Self) -> bool {
        if self.os != other.os {
            return false;
        }
        match (self.architecture.as_str(), other.architecture.as_str()) {
            ("amd64", "amd64") => {
                self == other || level(&other.variant).unwrap_or((1, 0)) <= level(&self.variant).unwrap_or((1, 0))
            }
            ("amd64", "386") => other.variant.is_empty(),
            ("arm", "arm") => {
                let (own, offered) = (level(&self.variant), level(&other.variant));
                self == other || own.zip(offered).is_some_and(|(own, offered)| (5..=own.0).contains(&offered.0))
            }
            ("arm64", "arm64") => {
                let (own, offered) = (arm64_level(&self.variant), arm64_level(&other.variant));
                self == other || own.zip(offered).is_some_and(|(own, offered)| runs(own, offered))
            }
            ("arm64", "arm") => Self::new(&self.os, "arm", "v8").takes(other),
            _ => self == other,
        }
    }
}

/// `v8.2` as 8 and 2.
fn level(variant: &str) -> Option<(u32, u32)> {
    let (major, minor) = variant.strip_prefix('v')?.split_once('.').unwrap_or((&variant[1..], "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn arm64_level(variant: &str) -> Option<(u32, u32)> {
    if variant.is_empty() { Some((8, 0)) } else { level(variant) }
}

/// ARMv9.0 grew out of ARMv8.5.
fn runs(own: (u32, u32), offered: (u32, u32)) -> bool {
    match (own, offered) {
        ((9, own), (8, offered)) => offered <= own.saturating_add(5),
        ((own, own_minor), (offered, minor)) => own == offered && minor <= own_minor,
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::Platform;

    fn takes(node: &str, image: &str) -> bool {
        Platform::parse(node).unwrap().takes(&Platform::parse(image).unwrap())
    }

    #[test]
    fn a_platform_is_two_or_three_words() {
        for text in ["linux/amd64", "windows/amd64", "linux/arm/v6", "linux/arm64/v8.2"] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/am d64", "linux/\u{202e}"] {
            assert_eq!(Platform::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn other_names_of_the_same_platform_are_the_same_platform() {
        for (text, usual) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("Linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("macos/arm64", "darwin/arm64"),
        ] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), usual);
        }
    }

    #[test]
    fn a_node_takes_what_it_is_and_what_its_predecessors_were() {
        assert!(takes("linux/amd64", "linux/amd64") && takes("linux/amd64", "linux/386"));
        assert!(takes("linux/arm64", "linux/arm64/v8") && takes("linux/arm64/v8", "linux/arm64"));
        assert!(takes("linux/arm64", "linux/arm/v7") && takes("linux/arm64", "linux/arm/v6"));
        assert!(takes("linux/arm/v7", "linux/arm/v6") && takes("linux/arm", "linux/arm/v7"));
        assert!(takes("linux/amd64/v3", "linux/amd64/v2") && takes("linux/amd64/v3", "linux/amd64"));
        assert!(takes("linux/arm64/v9.1", "linux/arm64/v8.6") && takes("linux/arm64/v8.2", "linux/arm64"));
        assert!(takes("linux/riscv64", "linux/riscv64") && takes("linux/s390x", "linux/s390x"));
    }

    #[test]
    fn a_node_takes_nothing_newer_and_nothing_foreign() {
        assert!(!takes("linux/amd64", "linux/arm64") && !takes("linux/arm64", "linux/amd64"));
        assert!(!takes("linux/amd64", "windows/amd64") && !takes("linux/386", "linux/amd64"));
        assert!(!takes("linux/amd64", "linux/amd64/v3") && !takes("linux/amd64/v2", "linux/amd64/v3"));
        assert!(!takes("linux/arm/v6", "linux/arm/v7") && !takes("linux/arm/v7", "linux/arm64"));
        assert!(!takes("linux/arm64", "linux/arm64/v8.1") && !takes("linux/arm64", "linux/arm64/v9"));
        assert!(!takes("linux/arm64/v9", "linux/arm64/v8.6") && !takes("linux/riscv64", "linux/riscv64/x"));
    }
}
