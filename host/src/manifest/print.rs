//! A manifest as TOML again, its defaults filled in and its secrets hidden.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use super::Manifest;

pub(super) fn print(manifest: &Manifest) -> String {
    // Cases say what comes out, not how.
    let manifest = Manifest { tests: Vec::new(), ..manifest.clone() };
    // All that a manifest holds came out of TOML.
    let text = toml::to_string(&manifest).unwrap_or_default();
    let Ok(mut document) = text.parse::<DocumentMut>() else { return text };
    for section in ["kafka", "source", "sink"] {
        if let Some(properties) = table(document.get_mut(section), "properties") {
            shorten(properties);
        }
    }
    if let Some(stores) = table(document.get_mut("references"), "stores") {
        stores.iter_mut().filter_map(|(_, store)| store.as_table_like_mut()).for_each(shorten);
    }
    document.to_string()
}

fn table<'a>(section: Option<&'a mut Item>, key: &str) -> Option<&'a mut dyn TableLike> {
    section?.get_mut(key)?.as_table_like_mut()
}

/// Writes `"sasl.password" = { env = "NAME" }` on a line instead of as a table.
fn shorten(settings: &mut dyn TableLike) {
    for (mut key, item) in settings.iter_mut() {
        if let Item::Table(table) = item {
            let short: InlineTable = std::mem::take(table).into_inline_table();
            *item = Item::Value(Value::InlineTable(short));
            // A table's name has no space behind it.
            key.fmt();
        }
    }
}
