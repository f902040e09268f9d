//! What a tree deploys, over trees that are maps.
mod changed;
mod conformance;
mod hostile;
mod overlooked;
mod properties;

use crate::map_tree::MapTree;
use pullgate::deploy::{self, Changes, Options};

/// What `new` deploys and `old` did not.
fn changes(old: Option<&MapTree>, new: &MapTree) -> Changes {
    let options = Options { ignored: &|_| false, file_limit: 16 << 20 };
    deploy::changed(old.map(|old| old as _), new, &options).expect("a map can be read")
}
