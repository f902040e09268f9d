//! What a tree deploys as JSON, schema version 1: keys may be added, never renamed.
use crate::{
    image::{ImageUse, Place, Reference},
    verdict::Notice,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// Writes `images` and `notices`, one entry a place.
pub fn write(images: &[ImageUse], notices: &[Notice], out: &mut dyn Write) -> io::Result<()> {
    let references: BTreeSet<&String> = images.iter().map(|image| &image.reference).collect();
    let document = json!({
        "version": 1,
        "images": images.iter().map(image).collect::<Vec<_>>(),
        "notices": notices.iter().map(notice).collect::<Vec<_>>(),
        "summary": { "places": images.len(), "references": references.len(), "notices": notices.len() },
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn image(image: &ImageUse) -> Value {
    let chain = image.chain.iter().map(|link| {
        let at = &link.place;
        json!({ "step": link.step, "path": path(at), "line": at.line, "column": at.column, "text": link.text })
    });
    json!({
        "reference": image.reference,
        "canonical": Reference::parse(&image.reference).ok().map(|reference| reference.to_string()),
        "path": path(&image.place),
        "line": image.place.line,
        "column": image.place.column,
        "certainty": image.certainty.as_str(),
        "form": image.form,
        "unit": image.unit,
        "object": image.object,
        "field": image.field,
        "chain": chain.collect::<Vec<_>>(),
    })
}

fn notice(notice: &Notice) -> Value {
    let at = &notice.place;
    json!({ "code": notice.code, "path": path(at), "line": at.line, "column": at.column, "message": notice.message })
}

fn path(place: &Place) -> String {
    place.path.to_string()
}
