//! By which key a strategic merge patch merges the lists of an object: the schema of Kubernetes, or the one that a
//! kustomization brings.
use super::object::{Gvk, Node as Value};
use crate::yaml::{self, Node};
use std::{collections::HashMap, rc::Rc};

/// Types and their fields, as far as they bear on lists that are merged.
#[derive(Debug, Default)]
pub(super) struct Schema {
    nodes: Vec<Type>,
    definitions: HashMap<String, usize>,
    kinds: HashMap<(String, String), usize>,
    /// What is asked where this one knows nothing.
    fallback: Option<Rc<Schema>>,
}

/// A type, or a reference to one.
#[derive(Debug, Default)]
struct Type {
    reference: Option<String>,
    fields: HashMap<String, usize>,
    /// Of the values of a mapping with any keys.
    values: Option<usize>,
    /// Of the items of a list.
    items: Option<usize>,
    merge: Option<Merge>,
}

/// How a list is patched.
#[derive(Clone, Debug, Default)]
struct Merge {
    strategies: String,
    keys: Vec<String>,
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeOf<'s> {
    schema: &'s Schema,
    index: usize,
}

impl<'s> TypeOf<'s> {
    /// The type of a field; `None` if nothing is known of it.
    pub(super) fn field(self, name: &str) -> Option<Self> {
        let node = &self.schema.nodes[self.index];
        let index = node.fields.get(name).copied().or(node.values)?;
        self.schema.resolve(index)
    }

    /// The type of the items of a list.
    pub(super) fn items(self) -> Option<Self> {
        self.schema.resolve(self.schema.nodes[self.index].items?)
    }

    /// The keys by which the items of the list are merged, none for a list of plain values; `None` for a list that is
    /// replaced as a whole.
    pub(super) fn merge_keys(self) -> Option<&'s [String]> {
        let merge = self.schema.nodes[self.index].merge.as_ref()?;
        merge.strategies.split(',').any(|strategy| strategy == "merge").then_some(&*merge.keys)
    }
}

/// How many references may lead to one another.
const MAX_REFERENCES: usize = 64;

impl Schema {
    /// That of Kubernetes 1.21, which kustomize has built in.
    pub(super) fn built_in() -> Rc<Self> {
        thread_local! {
            static BUILT_IN: Rc<Schema> = Rc::new(Schema::compact(include_str!("merge_keys.txt")));
        }
        BUILT_IN.with(Rc::clone)
    }

    /// Whether the built-in schema stands behind it.
    pub(super) fn has_fallback(&self) -> bool {
        self.fallback.is_some()
    }

    /// The type of an object; `None` for a kind that nothing is known of.
    pub(super) fn of_object(&self, object: &Value) -> Option<TypeOf<'_>> {
        let text = |key| object.get(key).and_then(Value::text).filter(|text| !text.is_empty());
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let key = (api_version.to_owned(), kind.to_owned());
        match self.kinds.get(&key) {
            Some(&index) => Some(TypeOf { schema: self, index }),
            None => self.fallback.as_ref()?.of_object(object),
        }
    }

    /// Whether it says anything of this kind.
    pub(super) fn knows(&self, gvk: &Gvk) -> bool {
        let api_version =
            if gvk.group.is_empty() { gvk.version.clone() } else { format!("{}/{}", gvk.group, gvk.version) };
        self.kinds.contains_key(&(api_version, gvk.kind.clone()))
    }

    fn resolve(&self, mut index: usize) -> Option<TypeOf<'_>> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = &self.nodes[index].reference else { return Some(TypeOf { schema: self, index }) };
            match self.definitions.get(reference) {
                Some(&next) => index = next,
                None => {
                    let schema = self.fallback.as_ref()?;
                    return schema.resolve(*schema.definitions.get(short(reference))?);
                }
            }
        }
        None
    }

    fn add(&mut self, node: Type) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Reads the table of merge keys: a line `type kind...`, and below it, indented, a line `field[] type strategy keys`
    /// for each field that leads to a list that is merged.
    fn compact(table: &str) -> Self {
        let mut schema = Self::default();
        let mut current = None;
        for line in table.lines() {
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            if !line.starts_with(' ') {
                let index = schema.add(Type::default());
                schema.definitions.insert(first.to_owned(), index);
                for kind in words {
                    if let Some((api_version, kind)) = kind.rsplit_once('/') {
                        schema.kinds.insert((api_version.to_owned(), kind.to_owned()), index);
                    }
                }
                current = Some(index);
                continue;
            }
            let reference = words.next().filter(|name| *name != "-");
            let of = Type { reference: reference.map(str::to_owned), ..Type::default() };
            let strategies = words.next().map(str::to_owned);
            let keys = words.next().map(|keys| keys.split(',').map(str::to_owned).collect()).unwrap_or_default();
            let merge = strategies.map(|strategies| Merge { strategies, keys });
            let of = schema.add(of);
            let (name, index) = match first.strip_suffix("[]") {
                Some(name) => (name, schema.add(Type { items: Some(of), merge, ..Type::default() })),
                None => (first, of),
            };
            if let Some(current) = current {
                schema.nodes[current].fields.insert(name.to_owned(), index);
            }
        }
        schema
    }

    /// Reads an OpenAPI document, in JSON or YAML.
    pub(super) fn parse(bytes: &[u8], over_built_in: bool) -> Result<Self, String> {
        let stream = yaml::parse(bytes, &yaml::Limits::default());
        if let Some(error) = stream.errors.first() {
            return Err(error.to_string());
        }
        let fallback = over_built_in.then(Self::built_in);
        let mut schema = Self { fallback, ..Self::default() };
        let root = stream.documents.first().map(|document| document.root());
        let root = root.filter(|root| root.kind() == yaml::Kind::Mapping).ok_or("it is no schema")?;
        let definitions = root.get("definitions");
        for (name, definition) in definitions.into_iter().flat_map(Node::entries) {
            let index = schema.read(definition, 0);
            schema.definitions.insert(name.as_str().unwrap_or_default().to_owned(), index);
            let kinds = definition.get("x-kubernetes-group-version-kind");
            for kind in kinds.into_iter().flat_map(Node::items) {
                let text = |key| kind.get(key).and_then(Node::as_str).unwrap_or_default();
                let api_version = match text("group") {
                    "" => text("version").to_owned(),
                    group => format!("{group}/{}", text("version")),
                };
                schema.kinds.insert((api_version, text("kind").to_owned()), index);
            }
        }
        Ok(schema)
    }

    fn read(&mut self, node: Node<'_>, depth: usize) -> usize {
        const MAX_DEPTH: usize = 100;
        let mut of = Type::default();
        if depth < MAX_DEPTH {
            let text = |key| node.get(key).and_then(Node::as_str).map(str::to_owned);
            of.reference = text("$ref").map(|reference| match reference.strip_prefix("#/definitions/") {
                Some(name) => name.to_owned(),
                None => reference,
            });
            let strings = |list: Node<'_>| list.items().filter_map(Node::as_str).map(str::to_owned).collect();
            let keys = node.get("x-kubernetes-list-map-keys").map(strings);
            let keys = keys.or_else(|| text("x-kubernetes-patch-merge-key").map(|key| vec![key])).unwrap_or_default();
            of.merge = text("x-kubernetes-patch-strategy").map(|strategies| Merge { strategies, keys });
            for (name, field) in node.get("properties").into_iter().flat_map(Node::entries) {
                let index = self.read(field, depth + 1);
                of.fields.insert(name.as_str().unwrap_or_default().to_owned(), index);
            }
            of.values = node.get("additionalProperties").map(|values| self.read(values, depth + 1));
            of.items = node.get("items").map(|items| self.read(items, depth + 1));
        }
        self.add(of)
    }
}

/// The name of a definition as the table of merge keys has it.
fn short(name: &str) -> &str {
    const PREFIXES: &[&str] = &["io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.kube-aggregator.pkg.apis."];
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}
