//! The tests that need more than one room, as one binary.
mod layers;
#[cfg(test)]
mod registry;
