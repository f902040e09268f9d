//! pullgate keeps Git from deploying container images that cannot be pulled.
//!
//! Flux and Argo CD deploy whatever Git says. pullgate stands in front of the branch: a pre-receive hook that works out
//! which images a push would newly deploy, asks their registries, and rejects the push if one is missing.
//!
//! # Many doors, one corridor
//!
//! Every command is a *door* ([`cli`]): it says where ref updates come from, how the repository is opened, where the
//! report goes and what a rejection does. Everything between is one corridor ([`gate`]):
//!
//! ```text
//! stdin lines                                             push.rs        RefUpdate { old, new, name }
//!    | git::Repository                                    git/           gix, blocking
//! Tree (old tip), Tree (new tip)                          tree.rs        a trait: lookup, list, read
//!    | deploy::changed                                    deploy/        pure over Tree
//! ImageUse { reference, place, certainty, unit }          image/         what the new tree deploys and the old one did not
//!    | distinct references, one deadline                  registry/      async
//! Answer | registry::Error
//!    | Policy::judge                                      gate/policy    pure
//! Finding, Notice -> Report -> text, exit code            verdict.rs, report/
//! ```
//!
//! **Images are a function of a tree.** A *unit* is what is deployed together: a plain manifest file, a kustomization. A
//! file that a kustomization consumes speaks only through the kustomizations that nothing else consumes, so a
//! placeholder in a base never rejects a push. What changed is the new tip's set minus the old tip's set: no diff hunks,
//! no special cases for renames, merges, reverts and force pushes.
//!
//! # Floors
//!
//! A module names `crate::X` only if X stands on a lower floor; `tests/it/layers.rs` holds the plan, and which foreign
//! crate may be named where.
//!
//! ```text
//! main
//! cli         the doors: clap, stdin, stdout, exit codes
//! config      file in, rooms built out; no room imports it
//! lab         a registry in the process, strict and able to misbehave: for `demo` and the tests
//! gate        the corridor: updates in, report out; policy
//! deploy      what a tree deploys
//! kustomize   extract                what `kustomize build` makes of a tree; an object in, image uses out. Pure
//! git  registry  report              gix; HTTP; a report in, text out
//! yaml  verdict                      YAML with positions; Finding, Notice, Report, Decision
//! image  push                        references and their uses; ref updates
//! tree  http                         paths, entries, the Tree trait; the one outgoing client
//! ```
//!
//! # What never happens
//!
//! * Nothing is read from the pushed tree but what it deploys: configuration is the server's.
//! * Nothing below `cli` prints or exits, and nothing below `config` reads the environment (but for the variables by which
//!   git names the quarantine, in [`git`]).
//! * No object that cannot be read counts as "nothing to check": it rejects.
//! * No credential leaves for a host that the configuration does not name.
//! * No text that was pushed or came from a registry is printed unescaped.
pub mod cli;
pub mod config;
pub mod deploy;
pub mod extract;
pub mod gate;
pub mod git;
pub mod http;
pub mod image;
pub mod kustomize;
pub mod lab;
pub mod push;
pub mod registry;
pub mod report;
pub mod tree;
pub mod verdict;
pub mod yaml;
