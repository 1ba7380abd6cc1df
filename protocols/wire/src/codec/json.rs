//! The view of values for people: a tree of named values that is written as JSON.

use super::error::{Path, Step, plain_name};
use std::borrow::Cow;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A yes or no.
    Bool(bool),
    /// A number that is not negative.
    Number(u64),
    /// A negative number.
    Negative(i64),
    /// A text: a name, an address, bytes in hex.
    Text(Cow<'static, str>),
    /// A list.
    List(Vec<Value>),
    /// Named values in order.
    Object(Object),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

/// Named values in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(Cow<'static, str>, Value)>);

impl Object {
    /// Appends a value.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        self.0.push((name.into(), value));
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// A value by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find_map(|(n, value)| (n == name).then_some(value))
    }

    /// As [`get`](Self::get), to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find_map(|(n, value)| (n == name).then_some(value))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the value of a field out, if it is there.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a field out.
    ///
    /// # Errors
    /// When it is not there, or not what the field can be.
    pub fn field<T: Json>(&mut self, name: &'static str) -> Result<T, JsonError> {
        let name = plain_name(name);
        match self.take(name) {
            Some(value) => T::from_json(value).map_err(|e| e.within(name)),
            None => T::absent().ok_or_else(|| JsonError::new("missing").within(name)),
        }
    }

    /// Checks that every field was taken.
    ///
    /// # Errors
    /// When there is one more: a name that the structure does not have.
    pub fn finished(&self) -> Result<(), JsonError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(JsonError::new(format!("no field is named {name:?}"))),
        }
    }
}

/// A tree that is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", place(.path))]
pub struct JsonError {
    path: Path,
    what: String,
}

/// What an error's text begins with: nothing for the value as a whole.
fn place(path: &Path) -> String {
    if *path == Path::default() { String::new() } else { format!("{path}: ") }
}

impl JsonError {
    /// An error in the value itself.
    #[cold]
    pub fn new(what: impl Into<String>) -> Self {
        Self { path: Path::default(), what: what.into() }
    }

    /// The value should be `wanted` and is `found`.
    #[cold]
    pub fn expected(wanted: &str, found: &Value) -> Self {
        Self::new(match found {
            Value::Object(_) => format!("{wanted} expected, an object found"),
            Value::List(_) => format!("{wanted} expected, a list found"),
            Value::Text(text) => format!("{wanted} expected, {text:?} found"),
            Value::Number(n) => format!("{wanted} expected, {n} found"),
            Value::Negative(n) => format!("{wanted} expected, {n} found"),
            Value::Bool(b) => format!("{wanted} expected, {b} found"),
            Value::Null => format!("{wanted} expected, null found"),
        })
    }

    /// The way to the value.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same error, seen from the structure around `field`.
    #[cold]
    #[must_use]
    pub fn within(mut self, field: &'static str) -> Self {
        self.path.within(Step::Field(plain_name(field)));
        self
    }

    /// The same error, seen from the list around element `index`.
    #[cold]
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.path.within(Step::Index(index));
        self
    }
}

/// A value with a view for people.
pub trait Json: Sized {
    /// The view.
    fn to_json(&self) -> Value;

    /// The value from its view.
    ///
    /// # Errors
    /// When the view is of something else.
    fn from_json(value: Value) -> Result<Self, JsonError>;

    /// Appends the value as a field.
    fn put(&self, name: &'static str, object: &mut Object) {
        object.push(plain_name(name), self.to_json());
    }

    /// The value of a field that is not there, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value whose view is an object, which can be part of a greater one.
pub trait JsonObject: Sized {
    /// Appends the fields.
    fn to_fields(&self, object: &mut Object);

    /// Takes the fields out.
    ///
    /// # Errors
    /// When one is missing, or is of something else.
    fn from_fields(object: &mut Object) -> Result<Self, JsonError>;
}

#[doc(hidden)]
pub fn object_to_json<T: JsonObject>(value: &T) -> Value {
    let mut object = Object::default();
    value.to_fields(&mut object);
    Value::Object(object)
}

#[doc(hidden)]
pub fn object_from_json<T: JsonObject>(value: Value) -> Result<T, JsonError> {
    match value {
        Value::Object(mut object) => {
            let value = T::from_fields(&mut object)?;
            object.finished()?;
            Ok(value)
        }
        other => Err(JsonError::expected("an object", &other)),
    }
}

impl Json for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::Bool(b) => Ok(b),
            other => Err(JsonError::expected("true or false", &other)),
        }
    }
}

impl<T: Json> Json for Vec<T> {
    fn to_json(&self) -> Value {
        Value::List(self.iter().map(Json::to_json).collect())
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::List(list) => {
                let values = list.into_iter().enumerate();
                values.map(|(i, value)| T::from_json(value).map_err(|e| e.at_index(i))).collect()
            }
            other => Err(JsonError::expected("a list", &other)),
        }
    }
}

impl<T: Json, const N: usize> Json for [T; N] {
    fn to_json(&self) -> Value {
        Value::List(self.iter().map(Json::to_json).collect())
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let list = Vec::from_json(value)?;
        list.try_into().map_err(|_| JsonError::new(format!("a list of {N} expected")))
    }
}

impl<T: Json> Json for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::to_json)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        if value == Value::Null { Ok(None) } else { T::from_json(value).map(Some) }
    }

    fn put(&self, name: &'static str, object: &mut Object) {
        if let Some(value) = self {
            value.put(name, object);
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Json> Json for Box<T> {
    fn to_json(&self) -> Value {
        (**self).to_json()
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        T::from_json(value).map(Box::new)
    }
}

impl<T: JsonObject> JsonObject for Box<T> {
    fn to_fields(&self, object: &mut Object) {
        (**self).to_fields(object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        T::from_fields(object).map(Box::new)
    }
}

/// A number from a JSON number, or from a text such as `"17"` or `"0x11"`.
pub(crate) fn number(value: &Value, bits: u32) -> Result<u64, JsonError> {
    let max = u64::MAX >> (64 - bits);
    let n = match value {
        Value::Number(n) => Some(*n),
        Value::Text(text) => match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        },
        _ => None,
    };
    n.filter(|&n| n <= max).ok_or_else(|| JsonError::expected(&format!("a number of {bits} bits"), value))
}

/// A value from a text, as `parse` sees it.
pub(crate) fn text<T>(value: Value, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, JsonError> {
    let parsed = match &value {
        Value::Text(text) => parse(text),
        _ => None,
    };
    parsed.ok_or_else(|| JsonError::expected(wanted, &value))
}
