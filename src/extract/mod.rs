//! An object in, image slots out. Pure.
//!
//! A new manifest form is one new file here and one row in `FORMS`.
mod containers;
mod form;
mod object;
mod volumes;

pub use form::Slot;
pub use object::{Object, objects};

use form::Form;

/// Every form in which an object names an image.
const FORMS: &[&dyn Form] = &[&containers::Containers, &volumes::ImageVolumes];

/// The places in `object` that name an image, in the order of the table, then of the document.
pub fn slots(object: &Object<'_>) -> Vec<Slot> {
    let mut found = Vec::new();
    if !object.is_schema_or_policy() {
        for form in FORMS {
            form.find(object, &mut found);
        }
    }
    found
}
