//! The types of a schema of Avro, as far as predictions may be of them: what a name stands for, in
//! which namespace.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The types that have no name of their own.
const PRIMITIVE: [&str; 8] =
    ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// A type, its name resolved.
pub(super) enum Type<'a> {
    Primitive(&'a str),
    Record {
        name: String,
        fields: &'a [Value],
    },
    Enum(&'a [Value]),
    Map {
        values: &'a Value,
        namespace: String,
    },
    Union {
        branches: &'a [Value],
        namespace: String,
    },
    /// One that no prediction has.
    Other(&'a str),
}

impl Type<'_> {
    /// What it is, for a person.
    pub(super) fn shown(&self) -> String {
        match self {
            Type::Primitive(name) | Type::Other(name) => (*name).to_owned(),
            Type::Record { name, .. } => format!("the record '{name}'"),
            Type::Enum(_) => "an enum".to_owned(),
            Type::Map { .. } => "a map".to_owned(),
            Type::Union { .. } => "a union".to_owned(),
        }
    }
}

/// The types of a schema that have names, each with its namespace.
#[derive(Default)]
pub(super) struct Names<'a>(BTreeMap<String, &'a Value>);

/// The full name of what is defined in a namespace, and the namespace in it.
fn full_name(object: &Map<String, Value>, namespace: &str) -> Option<(String, String)> {
    let name = object.get("name")?.as_str()?;
    if let Some((namespace, _)) = name.rsplit_once('.') {
        return Some((name.to_owned(), namespace.to_owned()));
    }
    let namespace = object.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
    Some((within(name, namespace), namespace.to_owned()))
}

fn within(name: &str, namespace: &str) -> String {
    match name.contains('.') || namespace.is_empty() {
        true => name.to_owned(),
        false => format!("{namespace}.{name}"),
    }
}

impl<'a> Names<'a> {
    /// Those of a schema.
    pub(super) fn of(schema: &'a Value) -> Self {
        let mut names = Names::default();
        names.collect(schema, "");
        names
    }

    /// Notes what is defined in a type. Its depth is that of the JSON, which is bounded.
    fn collect(&mut self, schema: &'a Value, namespace: &str) {
        match schema {
            Value::Array(branches) => branches.iter().for_each(|it| self.collect(it, namespace)),
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => match kind.as_str() {
                    "record" | "error" | "enum" | "fixed" => {
                        let Some((name, namespace)) = full_name(object, namespace) else { return };
                        self.0.insert(name, schema);
                        let fields = object.get("fields").and_then(Value::as_array);
                        for field in fields.into_iter().flatten() {
                            field
                                .get("type")
                                .into_iter()
                                .for_each(|it| self.collect(it, &namespace));
                        }
                    }
                    "map" => {
                        object.get("values").into_iter().for_each(|it| self.collect(it, namespace))
                    }
                    "array" => {
                        object.get("items").into_iter().for_each(|it| self.collect(it, namespace))
                    }
                    _ => {}
                },
                Some(inner) => self.collect(inner, namespace),
                None => {}
            },
            _ => {}
        }
    }

    /// What a type is that stands in a namespace, or why it is none.
    pub(super) fn resolve<'b>(
        &'b self,
        schema: &'b Value,
        namespace: &str,
    ) -> Result<Type<'b>, String>
    where
        'a: 'b,
    {
        let schema = match schema {
            Value::String(name) if PRIMITIVE.contains(&name.as_str()) => {
                return Ok(Type::Primitive(name));
            }
            Value::String(name) => {
                let full = within(name, namespace);
                let found = self.0.get(&full).or_else(|| self.0.get(name));
                *found.ok_or_else(|| format!("the schema defines no type '{full}'"))?
            }
            Value::Array(branches) => {
                return Ok(Type::Union { branches, namespace: namespace.to_owned() });
            }
            schema => schema,
        };
        let Value::Object(object) = schema else {
            return Err(format!("expected a type, got {schema}"));
        };
        let list = |key: &str| object.get(key).and_then(Value::as_array).map(Vec::as_slice);
        let lacks = |key: &str| format!("a type without its '{key}'");
        match object.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "record" | "error" => {
                    // Where it was defined its namespace may be that around it.
                    let same = |(_, known): &(&String, &&Value)| std::ptr::eq(**known, schema);
                    let name = self.0.iter().find(same).map(|(name, _)| name.clone());
                    let name = name.ok_or_else(|| lacks("name"))?;
                    Ok(Type::Record {
                        name,
                        fields: list("fields").ok_or_else(|| lacks("fields"))?,
                    })
                }
                "enum" => Ok(Type::Enum(list("symbols").ok_or_else(|| lacks("symbols"))?)),
                "map" => {
                    let values = object.get("values").ok_or_else(|| lacks("values"))?;
                    Ok(Type::Map { values, namespace: namespace.to_owned() })
                }
                kind if PRIMITIVE.contains(&kind) => match object.get("logicalType") {
                    Some(Value::String(logical)) => Ok(Type::Other(logical)),
                    _ => Ok(Type::Primitive(kind)),
                },
                kind => Ok(Type::Other(kind)),
            },
            Some(inner @ (Value::Object(_) | Value::Array(_))) => self.resolve(inner, namespace),
            _ => Err(lacks("type")),
        }
    }
}
