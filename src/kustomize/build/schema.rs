//! Which schema is in force: kustomize keeps one for a whole build, and the first that is set stays.
use super::{
    builder::Work,
    fault::{Fault, Step},
};
use crate::{
    kustomize::{
        file::Kustomization,
        object::{Gvk, Resource},
        schema::Schema,
    },
    tree::RepoPath,
};
use std::rc::Rc;

/// The state of the one schema.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemaState {
    /// The file that it comes from, or the version of the one built in that somebody asked for.
    set: Option<Set>,
    /// Whether the built-in one was looked into before: then it stays beside any other.
    has_built_in: bool,
}

#[derive(Clone, Debug)]
enum Set {
    BuiltIn,
    Own(Rc<RepoPath>, Rc<Schema>),
}

/// What the results of a build under this state can be kept under.
pub(super) type SchemaKey = (Option<Option<Rc<RepoPath>>>, bool);

/// The version that kustomize has built in.
const BUILT_IN: &str = "v1.21.2";

impl SchemaState {
    pub(super) fn key(&self) -> SchemaKey {
        let set = self.set.as_ref().map(|set| match set {
            Set::BuiltIn => None,
            Set::Own(path, _) => Some(Rc::clone(path)),
        });
        (set, self.has_built_in)
    }

    /// By which lists are merged.
    pub(super) fn schema(&mut self) -> Rc<Schema> {
        match &self.set {
            Some(Set::Own(_, schema)) => Rc::clone(schema),
            _ => {
                self.has_built_in = true;
                Schema::built_in()
            }
        }
    }

    /// Whether a schema of its own hides what kustomize knows of this kind. Flux takes both, from 1.9 on.
    pub(super) fn hides(&self, gvk: &Gvk) -> bool {
        matches!(&self.set, Some(Set::Own(_, schema)) if !schema.has_fallback() && Schema::built_in().knows(gvk))
    }

    /// Notes that objects were looked at: one of a kind that kustomize does not know makes it look into its schema.
    pub(super) fn meet(&mut self, resources: &[Resource]) {
        if !self.has_built_in && !matches!(self.set, Some(Set::Own(..))) {
            self.has_built_in = resources.iter().any(|resource| !Schema::built_in().knows(&Gvk::of(&resource.node)));
        }
    }
}

impl Work<'_, '_> {
    /// Sets the schema that a kustomization asks for, unless one is set already.
    pub(super) fn set_schema(&mut self, kustomization: &Kustomization, root: &RepoPath) -> Step<()> {
        let openapi = &kustomization.openapi;
        let loaded = openapi.path.as_ref().map(|path| self.load(kustomization, root, path)).transpose()?;
        if self.schema.set.is_some() {
            return Ok(());
        }
        match (loaded, &openapi.version) {
            (Some(_), Some(version)) => {
                let place = self.place(kustomization, version.position());
                Err(Fault::refused(place, "openapi has both path and version").into())
            }
            (Some(loaded), None) => {
                let schema = Schema::parse(&loaded.bytes, self.schema.has_built_in).map_err(|why| {
                    Fault::refused(
                        self.place(kustomization, crate::yaml::Position::START),
                        format!("{}: {why}", loaded.path),
                    )
                })?;
                self.schema.set = Some(Set::Own(loaded.path, Rc::new(schema)));
                Ok(())
            }
            (None, Some(version)) if version.text == BUILT_IN => {
                self.schema.set = Some(Set::BuiltIn);
                Ok(())
            }
            (None, Some(version)) if !version.text.is_empty() => {
                let place = self.place(kustomization, version.position());
                Err(Fault::refused(place, format!("it has no schema {}", version.text)).into())
            }
            (None, _) => Ok(()),
        }
    }
}
