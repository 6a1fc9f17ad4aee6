//! Schemas: the JSON, with names resolved.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::names::{full, namespace};

/// A schema of Avro.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(crate) types: Vec<Type>,
    pub(crate) root: usize,
}

/// One type of it. Others are named by their index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes(Logical),
    String,
    Fixed(Named, usize, Logical),
    Enum(Named, Vec<String>, Option<String>),
    Record(Named, Vec<Field>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    /// A named type before its definition is read.
    Open,
}

/// What bytes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logical {
    Nothing,
    /// A whole number, and how many of its digits are behind the point.
    Decimal(u32),
    Uuid,
    Duration,
}

/// The names of a named type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) ty: usize,
    pub(crate) default: Option<Json>,
}

/// Types of a schema at most: one of 1 MB has some tens of thousands.
const TYPES: usize = 1 << 17;

impl Schema {
    /// Reads a schema, with those that it refers to; what one of these refers to itself is before
    /// it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read<'a>(
        text: &str,
        references: impl IntoIterator<Item = &'a str>,
    ) -> Result<Schema, String> {
        let mut reader = Reader { types: Vec::new(), names: HashMap::new() };
        // Files stand beside each other in no order: those that need others are read after these.
        let mut waiting: Vec<&str> = references.into_iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut failed = Ok(());
            waiting.retain(|text| {
                let known = reader.types.len();
                match reader.document(text) {
                    Ok(_) => false,
                    Err(problem) => {
                        reader.types.truncate(known);
                        reader.names.retain(|_, place| *place < known);
                        failed = Err(format!("a schema that it refers to: {problem}"));
                        true
                    }
                }
            });
            if waiting.len() == before {
                failed?;
            }
        }
        let root = reader.document(text)?;
        Ok(Schema { types: reader.types, root })
    }

    pub(crate) fn get(&self, ty: usize) -> &Type {
        self.types.get(ty).unwrap_or(&Type::Open)
    }
}

struct Reader {
    types: Vec<Type>,
    names: HashMap<String, usize>,
}

impl Reader {
    fn document(&mut self, text: &str) -> Result<usize, String> {
        let json = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"));
        // A name alone is a schema too, also without its quotes.
        let json = match json {
            Ok(json) => json,
            Err(_) if primitive(text.trim()).is_some() => Json::String(text.trim().to_owned()),
            Err(problem) => return Err(problem),
        };
        self.read(&json, "")
    }

    fn push(&mut self, ty: Type) -> Result<usize, String> {
        if self.types.len() == TYPES {
            return Err(format!("it has more than {TYPES} types"));
        }
        self.types.push(ty);
        Ok(self.types.len() - 1)
    }

    fn read(&mut self, json: &Json, around: &str) -> Result<usize, String> {
        match json {
            Json::String(name) => self.named(name, around),
            Json::Array(branches) => {
                let mut union = Vec::with_capacity(branches.len());
                for branch in branches {
                    let branch = self.read(branch, around)?;
                    if matches!(self.types.get(branch), Some(Type::Union(_))) {
                        return Err("a union has a union in it".to_owned());
                    }
                    union.push(branch);
                }
                self.push(Type::Union(union))
            }
            Json::Object(object) => self.object(object, around),
            other => Err(format!("expected a type, got {other}")),
        }
    }

    fn named(&mut self, name: &str, around: &str) -> Result<usize, String> {
        if let Some(ty) = primitive(name) {
            return self.push(ty);
        }
        let known = self.names.get(&full(name, None, around)).or_else(|| self.names.get(name));
        known.copied().ok_or_else(|| format!("the type '{name}' is not defined"))
    }

    fn object(&mut self, object: &Map<String, Json>, around: &str) -> Result<usize, String> {
        let ty = object.get("type").ok_or("a type without `type`")?;
        let Json::String(kind) = ty else { return self.read(ty, around) };
        match kind.as_str() {
            "record" | "error" => self.record(object, around),
            "enum" => {
                let (place, named) = self.define(object, around)?;
                let symbols = strings(object, "symbols")?;
                let default = object.get("default").and_then(Json::as_str).map(str::to_owned);
                self.types[place] = Type::Enum(named, symbols, default);
                Ok(place)
            }
            "fixed" => {
                let (place, named) = self.define(object, around)?;
                let size = object.get("size").and_then(Json::as_u64);
                let size = size.and_then(|size| usize::try_from(size).ok());
                let size =
                    size.ok_or_else(|| format!("'{}': a fixed without `size`", named.name))?;
                self.types[place] = Type::Fixed(named, size, logical(object, Some(size)));
                Ok(place)
            }
            "array" => {
                let items = object.get("items").ok_or("an array without `items`")?;
                let items = self.read(items, around)?;
                self.push(Type::Array(items))
            }
            "map" => {
                let values = object.get("values").ok_or("a map without `values`")?;
                let values = self.read(values, around)?;
                self.push(Type::Map(values))
            }
            "bytes" => self.push(Type::Bytes(logical(object, None))),
            name => self.named(name, around),
        }
    }

    fn record(&mut self, object: &Map<String, Json>, around: &str) -> Result<usize, String> {
        let (place, named) = self.define(object, around)?;
        let inside = namespace(&named.name).to_owned();
        let fields = object.get("fields").and_then(Json::as_array);
        let fields =
            fields.ok_or_else(|| format!("'{}': a record without `fields`", named.name))?;
        let mut read: Vec<Field> = Vec::with_capacity(fields.len());
        let mut seen = std::collections::HashSet::new();
        for field in fields {
            let name = field.get("name").and_then(Json::as_str);
            let name = name.ok_or_else(|| format!("'{}': a field without `name`", named.name))?;
            let about = |problem| format!("field '{name}' of '{}': {problem}", named.name);
            if !seen.insert(name) {
                return Err(about("there are two of this name".to_owned()));
            }
            let ty = field.get("type").ok_or_else(|| about("no `type`".to_owned()))?;
            read.push(Field {
                name: name.to_owned(),
                aliases: field.as_object().map_or(Ok(Vec::new()), aliases)?,
                ty: self.read(ty, &inside).map_err(about)?,
                default: field.get("default").cloned(),
            });
        }
        self.types[place] = Type::Record(named, read);
        Ok(place)
    }

    /// The place of a named type that is defined here: its own parts may name it.
    fn define(
        &mut self,
        object: &Map<String, Json>,
        around: &str,
    ) -> Result<(usize, Named), String> {
        let name =
            object.get("name").and_then(Json::as_str).ok_or("a named type without `name`")?;
        let own = object.get("namespace").and_then(Json::as_str);
        let name = full(name, own, around);
        let aliases = aliases(object)?.iter().map(|it| full(it, None, namespace(&name))).collect();
        let place = self.push(Type::Open)?;
        if self.names.insert(name.clone(), place).is_some() {
            return Err(format!("the type '{name}' is defined twice"));
        }
        Ok((place, Named { name, aliases }))
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes(Logical::Nothing),
        "string" => Type::String,
        _ => return None,
    })
}

/// A logical type that does not fit is ignored, as Avro wants it.
fn logical(object: &Map<String, Json>, size: Option<usize>) -> Logical {
    match (object.get("logicalType").and_then(Json::as_str), size) {
        (Some("decimal"), _) => {
            let number = |key| object.get(key).map(Json::as_u64);
            let precision = number("precision").flatten().filter(|precision| *precision > 0);
            let scale = number("scale").unwrap_or(Some(0));
            match (precision, scale) {
                (Some(precision), Some(scale)) if scale <= precision => {
                    u32::try_from(scale).map_or(Logical::Nothing, Logical::Decimal)
                }
                _ => Logical::Nothing,
            }
        }
        (Some("uuid"), Some(16)) => Logical::Uuid,
        (Some("duration"), Some(12)) => Logical::Duration,
        _ => Logical::Nothing,
    }
}

fn strings(object: &Map<String, Json>, key: &str) -> Result<Vec<String>, String> {
    let list = object.get(key).and_then(Json::as_array);
    let strings = list.and_then(|list| {
        list.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    strings.ok_or_else(|| format!("`{key}`: expected a list of strings"))
}

fn aliases(object: &Map<String, Json>) -> Result<Vec<String>, String> {
    match object.get("aliases") {
        None => Ok(Vec::new()),
        Some(_) => strings(object, "aliases"),
    }
}
