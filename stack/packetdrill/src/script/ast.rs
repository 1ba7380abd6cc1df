//! What a script says.

use super::packet::Packet;

/// A whole script.
#[derive(Debug, Clone)]
pub struct Script {
    /// The `--name=value` settings at its head.
    pub settings: Vec<(String, String)>,
    /// Its steps, in order.
    pub events: Vec<Event>,
}

/// Microseconds.
pub type Micros = i64;

/// When a step happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// `*`: at any time.
    Any,
    /// `0.1`: after the script's start.
    Absolute(Micros),
    /// `+0.1`: after the step before.
    Relative(Micros),
    /// `0.1~0.2`
    AbsoluteRange(Micros, Micros),
    /// `+0.1~+0.2`
    RelativeRange(Micros, Micros),
}

/// One step.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its line in the script.
    pub line: u32,
    /// When it happens.
    pub time: Time,
    /// What happens.
    pub action: Action,
}

/// What happens in a step.
#[derive(Debug, Clone)]
pub enum Action {
    /// `<`: a packet goes into the stack.
    Inject(Packet),
    /// `>`: a packet must come out of it.
    Expect(Packet),
    /// A socket call with what must come of it.
    Call(Call),
    /// `%{ assert ... }%`
    Assert(String),
}

/// A socket call.
#[derive(Debug, Clone)]
pub struct Call {
    /// When a blocking call must return, on the step's own clock.
    pub end: Option<Micros>,
    /// The function.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The expected result.
    pub result: Expr,
    /// The expected error.
    pub errno: Option<String>,
}

/// An argument or a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `...`
    Ellipsis,
    /// A number.
    Int(i64),
    /// The name of a number.
    Symbol(String),
    /// Text.
    Text(Vec<u8>),
    /// `a|b`
    Or(Box<Expr>, Box<Expr>),
    /// `[a, b]`, or `{a, b}`.
    List(Vec<Expr>),
    /// `{name=value, ...}`
    Struct(Vec<(String, Expr)>),
}
