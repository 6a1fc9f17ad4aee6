//! Defaults of fields: what only the reader's schema has.

use serde_json::Value as Json;

use super::logical::decimal;
use super::node::{Constant, Constants, kind};
use super::schema::{Logical, Schema, Type};
use crate::found::Value;
use crate::place::{Tree, index};

/// Finds what is wanted of a default.
pub(crate) fn find(
    schema: &Schema,
    ty: usize,
    json: &Json,
    tree: &Tree,
    constants: &mut Constants,
) -> Result<(), String> {
    let ty = schema.get(ty);
    if let Type::Union(branches) = ty {
        // Of the first branch, as it was; of any, as it is since 1.12.
        let mut first = None;
        for branch in branches {
            let before = constants.len();
            match find(schema, *branch, json, tree, constants) {
                Ok(()) => return Ok(()),
                Err(problem) => {
                    constants.truncate(before);
                    first.get_or_insert(problem);
                }
            }
        }
        return Err(first.unwrap_or_else(|| "a union without branches".to_owned()));
    }
    let mut parts = Ok(());
    let constant = match (ty, json) {
        (Type::Null, Json::Null) => {
            constants.extend(tree.all().into_iter().map(|it| (it, Constant::Value(Value::Null))));
            return Ok(());
        }
        (Type::Boolean, Json::Bool(value)) => Constant::Value(Value::Boolean(*value)),
        (Type::Int | Type::Long, Json::Number(number)) => {
            let number = number.as_i64().ok_or_else(|| format!("{number} is not whole"))?;
            Constant::Value(Value::Integer(number))
        }
        (Type::Float, Json::Number(number)) => {
            let number = number.as_f64().unwrap_or(f64::NAN) as f32;
            Constant::Value(Value::Float(f64::from(number)))
        }
        (Type::Double, Json::Number(number)) => {
            Constant::Value(Value::Float(number.as_f64().unwrap_or(f64::NAN)))
        }
        (Type::String | Type::Enum(..), Json::String(text)) => Constant::Text(text.clone()),
        (Type::Bytes(logical) | Type::Fixed(_, _, logical), Json::String(text)) => match logical {
            Logical::Decimal(scale) => {
                // Each character is a byte.
                let bytes: Option<Vec<u8>> =
                    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                let digits = bytes.and_then(|bytes| decimal(&bytes, *scale));
                Constant::Decimal(digits.ok_or("no decimal")?)
            }
            _ => Constant::Value(Value::Other("bytes")),
        },
        (Type::Record(_, fields), Json::Object(object)) => {
            for field in fields {
                let Some(tree) = tree.step(&field.name) else { continue };
                let json = object.get(&field.name).or(field.default.as_ref());
                let json = json.ok_or_else(|| format!("no '{}'", field.name))?;
                parts = parts.and(find(schema, field.ty, json, tree, constants));
            }
            Constant::Value(Value::Other("a record"))
        }
        (Type::Array(items), Json::Array(list)) => {
            for (step, tree) in &tree.below {
                if let Some(json) = index(step).and_then(|index| list.get(index)) {
                    parts = parts.and(find(schema, *items, json, tree, constants));
                }
            }
            for array in &tree.arrays {
                constants.push((array.place, whole(schema, *items, list, &array.sizes)?));
            }
            Constant::Value(Value::Other("an array"))
        }
        (Type::Map(values), Json::Object(object)) => {
            for (key, tree) in &tree.below {
                if let Some(json) = object.get(key) {
                    parts = parts.and(find(schema, *values, json, tree, constants));
                }
            }
            Constant::Value(Value::Other("a map"))
        }
        (ty, json) => return Err(format!("expected {}, got {json}", kind(ty))),
    };
    constants.extend(tree.here.iter().map(|place| (*place, constant.clone())));
    parts
}

/// An array that is wanted whole. Only of one dimension: a default of more is a mistake.
fn whole(schema: &Schema, items: usize, list: &[Json], sizes: &[u32]) -> Result<Constant, String> {
    if sizes.len() != 1 || sizes[0] as usize != list.len() {
        return Ok(Constant::Value(Value::Other("an array of another size")));
    }
    let here = Tree { here: vec![0], ..Tree::default() };
    let mut values = Vec::with_capacity(list.len());
    for json in list {
        let mut found = Vec::new();
        find(schema, items, json, &here, &mut found)?;
        values.push(match found.pop() {
            Some((_, Constant::Value(value))) => value,
            _ => Value::Other("a text"),
        });
    }
    Ok(Constant::Array(values))
}
