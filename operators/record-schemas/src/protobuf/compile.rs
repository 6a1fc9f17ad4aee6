//! Plans: from the descriptor of a message, and the places that are wanted.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Syntax, Value as Given};

use super::field::{Default, Field, Message, Scalar, Slot, What};
use crate::found::Value;
use crate::place::{Tree, index};

/// Messages that stand for one value that may be absent.
const WRAPPERS: [&str; 8] = [
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Int32Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.BoolValue",
    "google.protobuf.StringValue",
];

/// Makes the messages of a plan.
pub(crate) struct Compiler {
    pub(crate) messages: Vec<Message>,
    pub(crate) lists: usize,
    pub(crate) whole: Vec<(usize, Vec<u32>)>,
    /// The places that the schema has.
    pub(crate) reached: Vec<bool>,
}

impl Compiler {
    pub(crate) fn new(places: usize) -> Self {
        let reached = vec![false; places];
        Compiler { messages: Vec::new(), lists: 0, whole: Vec::new(), reached }
    }

    /// A message, of which places are wanted.
    pub(crate) fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        tree: &Tree,
    ) -> Result<usize, String> {
        let place = self.messages.len();
        self.messages.push(Message::default());
        let (first_list, nothing) = (self.lists, Tree::default());
        let mut message = Message::default();
        let oneofs: Vec<_> = descriptor.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
        for field in descriptor.fields() {
            let oneof = field.containing_oneof();
            let oneof = oneof.and_then(|it| oneofs.iter().position(|other| *other == it));
            let by_name = tree.step(field.name());
            let below = by_name.or_else(|| tree.step(field.json_name())).unwrap_or(&nothing);
            if below.is_empty() && oneof.is_none() {
                continue;
            }
            let what = match below.is_empty() {
                true => What::Skip,
                false => self.field(&field, below, &mut message)?,
            };
            message.fields.push(Field { number: field.number(), oneof, what });
        }
        message.fields.sort_by_key(|field| field.number);
        message.lists = (first_list..self.lists).collect();
        message.messages = (place..self.messages.len()).collect();
        message.places = tree.all().into_iter().filter(|place| self.reached[*place]).collect();
        self.messages[place] = message;
        Ok(place)
    }

    fn reach(&mut self, places: &[usize]) {
        for place in places {
            self.reached[*place] = true;
        }
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        tree: &Tree,
        message: &mut Message,
    ) -> Result<What, String> {
        self.reach(&tree.here);
        let arrays: Vec<usize> = tree.arrays.iter().map(|array| array.place).collect();
        self.reach(&arrays);
        let here = |default: &Default| -> Vec<(usize, Default)> {
            tree.here.iter().map(|place| (*place, default.clone())).collect()
        };
        if field.is_map() || field.is_list() {
            // Of a message that is there, values are absent that its lists and maps have not.
            let below = tree.below.iter().flat_map(|(_, tree)| tree.all());
            message.defaults.extend(below.map(|place| (place, Default::Value(Value::Absent))));
        }
        if field.is_map() {
            let what = Default::Value(Value::Other("a map"));
            message.defaults.extend(here(&what));
            message.defaults.extend(arrays.iter().map(|place| (*place, what.clone())));
            let Kind::Message(entry) = field.kind() else { return Ok(What::Skip) };
            let Some(key) = scalar(&entry.map_entry_key_field()) else { return Ok(What::Skip) };
            let mut values = Vec::new();
            for (name, tree) in &tree.below {
                values.push((name.clone(), self.slot(&entry.map_entry_value_field(), tree)?));
            }
            return Ok(What::Map { key, values });
        }
        if field.is_list() {
            message.defaults.extend(here(&Default::Value(Value::Other("an array"))));
            let whole = tree.arrays.iter().map(|array| {
                message.defaults.push((array.place, Default::Value(Value::Array(array.place))));
                self.whole.push((array.place, array.sizes.clone()));
                // One more than are wanted shows that there are too many.
                (array.place, u64::from(*array.sizes.first().unwrap_or(&0)) + 1)
            });
            let whole = whole.collect();
            let mut items = Vec::new();
            for (step, tree) in &tree.below {
                if let Some(index) = index(step) {
                    items.push((index as u64, self.slot(field, tree)?));
                }
            }
            self.lists += 1;
            let item = scalar(field);
            let packed = item.clone().filter(|it| !matches!(it, Scalar::String | Scalar::Bytes));
            return Ok(What::List { list: self.lists - 1, packed, items, whole, item });
        }
        let slot = self.slot(field, tree)?;
        match &slot {
            Slot::Scalar(scalar, places) => {
                let default = default(field, scalar);
                message.defaults.extend(places.iter().map(|place| (*place, default.clone())));
            }
            Slot::Message { .. } => {
                // What is below a message that is not there has no value.
                let all = tree.all().into_iter().filter(|place| self.reached[*place]);
                message.defaults.extend(all.map(|place| (place, Default::Value(Value::Null))));
            }
        }
        Ok(What::One(slot))
    }

    /// Where a value goes: one of a field, or each of a list.
    fn slot(&mut self, field: &FieldDescriptor, tree: &Tree) -> Result<Slot, String> {
        let Kind::Message(descriptor) = field.kind() else {
            let Some(scalar) = scalar(field) else {
                return Err(format!("'{}' is of no type that is known", field.full_name()));
            };
            let mut places = tree.here.clone();
            places.extend(tree.arrays.iter().map(|array| array.place));
            self.reach(&places);
            return Ok(Slot::Scalar(scalar, places));
        };
        let mut tree = tree.clone();
        let mut here = std::mem::take(&mut tree.here);
        here.extend(std::mem::take(&mut tree.arrays).iter().map(|array| array.place));
        self.reach(&here);
        if WRAPPERS.contains(&descriptor.full_name()) && !here.is_empty() {
            match tree.below.iter_mut().find(|(step, _)| step == "value") {
                Some((_, value)) => value.here.append(&mut here),
                None => {
                    let value = Tree { here: std::mem::take(&mut here), ..Tree::default() };
                    tree.below.push(("value".to_owned(), value));
                }
            }
        }
        let message = self.message(&descriptor, &tree)?;
        self.messages[message].places.extend(&here);
        Ok(Slot::Message { message, group: field.is_group(), here })
    }
}

fn scalar(field: &FieldDescriptor) -> Option<Scalar> {
    Some(match field.kind() {
        Kind::Double => Scalar::Double,
        Kind::Float => Scalar::Float,
        Kind::Int32 => Scalar::Int32,
        Kind::Int64 => Scalar::Int64,
        Kind::Uint32 => Scalar::Uint32,
        Kind::Uint64 => Scalar::Uint64,
        Kind::Sint32 => Scalar::Sint32,
        Kind::Sint64 => Scalar::Sint64,
        Kind::Fixed32 => Scalar::Fixed32,
        Kind::Fixed64 => Scalar::Fixed64,
        Kind::Sfixed32 => Scalar::Sfixed32,
        Kind::Sfixed64 => Scalar::Sfixed64,
        Kind::Bool => Scalar::Bool,
        Kind::String => Scalar::String,
        Kind::Bytes => Scalar::Bytes,
        Kind::Enum(descriptor) => {
            let mut names: Vec<(i32, String)> =
                descriptor.values().map(|it| (it.number(), it.name().to_owned())).collect();
            // Of several names of a number the first.
            names.sort_by_key(|(number, _)| *number);
            names.dedup_by_key(|(number, _)| *number);
            let open = descriptor.parent_file().syntax() != Syntax::Proto2;
            Scalar::Enum(names, open)
        }
        Kind::Message(_) => return None,
    })
}

/// What a field has that is not there: nothing, if that can be told from a value.
fn default(field: &FieldDescriptor, scalar: &Scalar) -> Default {
    let declared = field.field_descriptor_proto().default_value.is_some();
    if field.supports_presence() && !declared {
        return Default::Value(Value::Null);
    }
    Default::Value(match field.default_value() {
        Given::Bool(value) => Value::Boolean(value),
        Given::I32(number) => Value::Integer(number.into()),
        Given::I64(number) => Value::Integer(number),
        Given::U32(number) => Value::Unsigned(number.into()),
        Given::U64(number) => Value::Unsigned(number),
        Given::F32(number) => Value::Float(number.into()),
        Given::F64(number) => Value::Float(number),
        Given::String(text) => return Default::Text(text),
        Given::EnumNumber(number) => match scalar {
            Scalar::Enum(names, _) => match names.iter().find(|(known, _)| *known == number) {
                Some((_, name)) => return Default::Text(name.clone()),
                None => Value::Integer(number.into()),
            },
            _ => Value::Null,
        },
        Given::Bytes(_) => Value::Other("bytes"),
        Given::Message(_) | Given::List(_) | Given::Map(_) => Value::Null,
    })
}
