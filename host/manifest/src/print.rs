//! A manifest as TOML again, its defaults filled in and its secrets hidden.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use crate::manifest::Manifest;

impl Manifest {
    /// The manifest with all its defaults as TOML, secrets as `***`. It can be read as a
    /// manifest again. Cases are left out, and so are keys that have no value.
    pub fn print(&self) -> String {
        print(self)
    }
}

fn print(manifest: &Manifest) -> String {
    // Cases describe outputs, not the pipeline.
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
    if let Some(options) = table(document.get_mut("registry"), "options") {
        shorten(options);
    }
    for key in ["token", "tls"] {
        if let Some(item) = document.get_mut("admin").and_then(|admin| admin.get_mut(key)) {
            inline(item);
        }
    }
    for key in ["password", "token"] {
        let item = document.get_mut("schemas").and_then(|schemas| schemas.get_mut(key));
        item.map(inline);
    }
    let tokens = document.get_mut("admin").and_then(|admin| admin.get_mut("tokens"));
    let tokens = tokens.and_then(Item::as_array_of_tables_mut);
    for token in tokens.into_iter().flat_map(|tokens| tokens.iter_mut()) {
        if let Some(token) = token.get_mut("token") {
            inline(token);
        }
    }
    if let Some(models) = document.get_mut("models").and_then(Item::as_table_like_mut) {
        shorten(models);
    }
    let stages = document.get_mut("stages").and_then(Item::as_array_of_tables_mut);
    for stage in stages.into_iter().flat_map(|stages| stages.iter_mut()) {
        if let Some(component) = stage.get_mut("component") {
            inline(component);
        }
    }
    document.to_string()
}

fn table<'a>(section: Option<&'a mut Item>, key: &str) -> Option<&'a mut dyn TableLike> {
    section?.get_mut(key)?.as_table_like_mut()
}

/// Writes `"sasl.password" = { env = "NAME" }` on a line instead of as a table.
fn shorten(settings: &mut dyn TableLike) {
    for (mut key, item) in settings.iter_mut() {
        if inline(item) {
            // A table's name has no space behind it.
            key.fmt();
        }
    }
}

fn inline(item: &mut Item) -> bool {
    let Item::Table(table) = item else { return false };
    let short: InlineTable = std::mem::take(table).into_inline_table();
    *item = Item::Value(Value::InlineTable(short));
    true
}
