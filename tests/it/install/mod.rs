//! install.sh: what it makes, what it takes away, and what it leaves alone.
mod bare;
mod beside;
mod gitea;
mod gitlab;
mod gitolite;
mod host;
mod killed;
mod push_options;
mod shells;
mod transports;
mod trouble;
mod undo;
