//! What is wrong with bytes that cannot be read, or with a value that cannot be written.

use std::fmt;

/// Why a field could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The field needs `need` bytes and `have` are left.
    Truncated {
        /// Bytes wanted.
        need: usize,
        /// Bytes there.
        have: usize,
    },
    /// A length (or count) that cannot be.
    BadLength {
        /// The value on the wire.
        length: u64,
    },
    /// A value that the field cannot have.
    BadValue {
        /// The value on the wire.
        found: u64,
    },
    /// Bytes follow the last field.
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The field is one that may not have a mask.
    Masked,
    /// Structures nested in structures, deeper than any sensible message.
    TooDeep,
}

impl Reason {
    /// Whether it is a matter of lengths, as against values.
    pub const fn is_length(self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::BadLength { .. } | Self::Trailing { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { need, have } => write!(f, "truncated: {need} bytes needed, {have} there"),
            Self::BadLength { length } => write!(f, "impossible length {length}"),
            Self::BadValue { found } => write!(f, "unexpected value {found}"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes too many"),
            Self::Masked => f.write_str("field cannot be masked"),
            Self::TooDeep => f.write_str("nested too deeply"),
        }
    }
}

/// What to answer to an error in a structure: a pair of type and code for every error of length, or a function of the
/// version and the reason.
pub trait Answer {
    /// Type and code, where the structure has any for it.
    fn answer(self, version: u8, reason: Reason) -> Option<(u16, u16)>;
}

impl Answer for (u16, u16) {
    fn answer(self, _version: u8, reason: Reason) -> Option<Self> {
        reason.is_length().then_some(self)
    }
}

impl<F: Fn(u8, Reason) -> Option<(u16, u16)>> Answer for F {
    fn answer(self, version: u8, reason: Reason) -> Option<(u16, u16)> {
        self(version, reason)
    }
}

/// One step on the way to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A structure or field, by the specification's name.
    Field(&'static str),
    /// An element of a list, from 0.
    Index(usize),
}

/// The way to a field, outermost first: `instructions[0].actions[2].port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// The steps, outermost first.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step> + '_ {
        self.0.iter().rev().copied()
    }

    /// The innermost field's name.
    pub fn field(&self) -> Option<&'static str> {
        self.steps().rev().find_map(|step| match step {
            Step::Field(name) => Some(name),
            Step::Index(_) => None,
        })
    }

    pub(crate) fn within(&mut self, step: Step) {
        self.0.push(step);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps().enumerate() {
            match step {
                Step::Field(name) if i == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}

/// Bytes that cannot be read: which field, where, why, and what to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    path: Path,
    offset: usize,
    reason: Reason,
    answer: Option<(u16, u16)>,
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path != Path::default() {
            write!(f, "{} ", self.path)?;
        }
        write!(f, "at offset {}: {}", self.offset, self.reason)
    }
}

impl ReadError {
    /// An error at `offset` bytes from the start of the message.
    #[cold]
    pub fn new(offset: usize, reason: Reason) -> Self {
        Self(Box::new(Inner { path: Path::default(), offset, reason, answer: None }))
    }

    /// The way to the field, from the message inwards.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where the field starts, in bytes from the start of the message.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// What is wrong with it.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The error type and code that the specification wants sent, where the structure knows.
    pub fn answer(&self) -> Option<(u16, u16)> {
        self.0.answer
    }

    /// The same error, seen from the structure around `field`.
    #[cold]
    #[must_use]
    pub fn within(mut self, field: &'static str) -> Self {
        self.0.path.within(Step::Field(plain_name(field)));
        self
    }

    /// The same error, seen from the list around element `index`.
    #[cold]
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.0.path.within(Step::Index(index));
        self
    }

    /// The same error with what to answer, unless something further inside has said so.
    #[cold]
    #[must_use]
    pub fn or_answer(mut self, answer: (u16, u16)) -> Self {
        self.0.answer.get_or_insert(answer);
        self
    }

    /// As [`or_answer`](Self::or_answer), with what `answer` says about a message of `version`.
    #[cold]
    #[must_use]
    pub fn or_answer_of(self, answer: impl Answer, version: u8) -> Self {
        match answer.answer(version, self.reason()) {
            Some(answer) => self.or_answer(answer),
            None => self,
        }
    }
}

/// A value that the wire format cannot carry: a list too long for its length field, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct WriteError {
    /// The field that cannot be written.
    pub field: &'static str,
    /// Why.
    pub what: &'static str,
}

/// A field's name without the `r#` of Rust's raw identifiers.
#[doc(hidden)]
pub const fn plain_name(name: &'static str) -> &'static str {
    if let [b'r', b'#', rest @ ..] = name.as_bytes()
        && let Ok(plain) = std::str::from_utf8(rest)
    {
        return plain;
    }
    name
}
