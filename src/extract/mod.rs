//! An object in, image slots out. Pure.
//!
//! A new manifest form is one new file here and one row in `FORMS`.
mod containers;
mod form;
mod object;
mod volumes;

pub use form::Slot;
pub use object::{Object, objects};

use form::{Form, mappings};

/// Every form in which an object names an image.
const FORMS: &[&dyn Form] = &[&containers::Containers, &volumes::ImageVolumes];

/// The places in `object` that name an image, in the order of the table, then of the document. Looks at no more nodes
/// than are `left`; if that is then 0, some places may be lacking.
pub fn slots(object: &Object<'_>, left: &mut usize) -> Vec<Slot> {
    let mut found = Vec::new();
    if !object.is_schema_or_policy() {
        let visits = mappings(object, left);
        for form in FORMS {
            form.find(object, &visits, &mut found);
        }
    }
    found
}
