//! Where in a message each value of our view for people is: every bit is changed in turn, and it is seen which value changes
//! with it.

use ferroflow_openflow::owned::AnyMessage;
use serde_json::Value;
use std::collections::BTreeMap;

/// The values that have no values of their own, by the way to them. A list of texts and numbers is one: a set of flags.
pub type Leaves = BTreeMap<String, Value>;

/// A message and the places of its values.
pub struct Places {
    pub leaves: Leaves,
    /// For each bit the value that it is of, and of a set of flags the flag.
    pub bits: Vec<Option<(String, Option<String>)>>,
}

fn collect(path: &str, value: &Value, into: &mut Leaves) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(&path, value, into);
            }
        }
        Value::Array(list) if list.iter().any(|e| e.is_object() || e.is_array()) => {
            for (i, value) in list.iter().enumerate() {
                collect(&format!("{path}[{i}]"), value, into);
            }
        }
        leaf => {
            into.insert(path.to_owned(), leaf.clone());
        }
    }
}

fn leaves(message: &AnyMessage) -> Leaves {
    let mut leaves = Leaves::new();
    collect("", &serde_json::to_value(message).expect("it has a view"), &mut leaves);
    leaves
}

/// The flag that one set has and the other does not.
fn flag(a: &Value, b: &Value) -> Option<String> {
    let (a, b) = (a.as_array()?, b.as_array()?);
    let more = a.iter().filter(|e| !b.contains(e)).chain(b.iter().filter(|e| !a.contains(e)));
    more.map(|e| e.as_str().map_or_else(|| e.to_string(), str::to_owned)).next()
}

impl Places {
    pub fn of(bytes: &[u8]) -> Self {
        let message = AnyMessage::decode(bytes).expect("what we wrote can be read");
        let leaves_of_it = leaves(&message);
        let mut bits = vec![None; bytes.len() * 8];
        let mut changed = bytes.to_vec();
        for (i, bit) in bits.iter_mut().enumerate() {
            let mask = 0x80 >> (i % 8);
            changed[i / 8] ^= mask;
            if let Ok(other) = AnyMessage::decode(&changed) {
                let other = leaves(&other);
                // A type that changes brings other values with it, and takes some away.
                let mut both =
                    leaves_of_it.iter().filter(|(path, value)| other.get(*path).is_some_and(|o| o != *value));
                if let (Some((path, value)), None) = (both.next(), both.next()) {
                    *bit = Some((path.clone(), flag(value, &other[path])));
                }
            }
            changed[i / 8] ^= mask;
        }
        Self { leaves: leaves_of_it, bits }
    }

    fn of_path<'p>(&'p self, path: &'p str) -> impl DoubleEndedIterator<Item = usize> + 'p {
        let is = move |bit: &Option<(String, Option<String>)>| bit.as_ref().is_some_and(|(p, _)| p == path);
        self.bits.iter().enumerate().filter(move |(_, bit)| is(bit)).map(|(at, _)| at)
    }

    /// The byte behind a value.
    pub fn end(&self, path: &str) -> usize {
        self.of_path(path).next_back().map_or(0, |bit| bit / 8 + 1)
    }

    /// What `bits` are of a number: all of it, or a part.
    pub fn part(&self, path: &str, number: u64, bits: &[usize]) -> u64 {
        let end = self.end(path) * 8;
        let own = |bit: usize| if bit < end { number >> (end - 1 - bit).min(63) & 1 } else { 0 };
        bits.iter().fold(0, |part, &bit| part << 1 | own(bit))
    }

    /// The number that `bits` are in a set of flags: each flag by its name, those without a name as a number.
    pub fn flags(&self, path: &str, set: &[Value], bits: &[usize]) -> u64 {
        let is_set = |bit: usize| match &self.bits[bit] {
            Some((_, Some(name))) => set.iter().any(|flag| flag.as_str() == Some(name)),
            _ => false,
        };
        let named = bits.iter().fold(0, |number, &bit| number << 1 | u64::from(is_set(bit)));
        set.iter().filter_map(Value::as_u64).fold(named, |number, rest| number | self.part(path, rest, bits))
    }

    /// The first bit of a value.
    pub fn start(&self, path: &str) -> Option<usize> {
        self.of_path(path).next()
    }
}
