//! Error types and codes by name (WIRE.md 4, ERROR).

use ferroflow_wire::codec::{Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Value, Writer};
use std::fmt;

ferroflow_wire::open_enum! {
    /// What an error is about. 9, 10, 11 and 13 are declared and have no codes; 16 is of 1.5.0.
    pub ErrorType(u16) {
        HELLO_FAILED = 0, BAD_REQUEST = 1, BAD_ACTION = 2, BAD_INSTRUCTION = 3, BAD_MATCH = 4, FLOW_MOD_FAILED = 5,
        GROUP_MOD_FAILED = 6, PORT_MOD_FAILED = 7, TABLE_MOD_FAILED = 8, QUEUE_OP_FAILED = 9,
        SWITCH_CONFIG_FAILED = 10, ROLE_REQUEST_FAILED = 11, METER_MOD_FAILED = 12, TABLE_FEATURES_FAILED = 13,
        SOFTWARE_FAILED = 14, COUNTER_MOD_FAILED = 15, INSBLOCK_MOD_FAILED = 16,
    }
}

/// Codes of one type: the prefix of their symbols in a switch's texts, and the names by number.
struct Codes {
    prefix: &'static str,
    names: &'static [(u16, &'static str)],
}

/// Numbers a list of names from 0.
macro_rules! names {
    ($($code:literal $name:literal),* $(,)?) => { &[$(($code, $name)),*] };
}

impl ErrorType {
    const fn codes(self) -> Option<Codes> {
        let (prefix, names): (_, &[_]) = match self {
            Self::HELLO_FAILED => ("POFHFC_", names![0 "INCOMPATIBLE", 1 "EPERM"]),
            Self::BAD_REQUEST => (
                "POFBRC_",
                names![
                    0 "BAD_VERSION", 1 "BAD_TYPE", 2 "BAD_MULTIPART", 3 "BAD_EXPERIMENTER", 4 "BAD_EXP_TYPE",
                    5 "EPERM", 6 "BAD_LEN", 7 "BUFFER_EMPTY", 8 "BUFFER_UNKNOWN", 9 "BAD_TABLE_ID", 10 "IS_SLAVE",
                    11 "BAD_PORT", 12 "BAD_PACKET", 13 "MULTIPART_BUFFER_OVERFLOW",
                ],
            ),
            Self::BAD_ACTION => (
                "POFBAC_",
                names![
                    0 "BAD_TYPE", 1 "BAD_LEN", 2 "BAD_EXPERIMENTER", 3 "BAD_EXP_TYPE", 4 "BAD_OUT_PORT",
                    5 "BAD_ARGUMENT", 6 "EPERM", 7 "TOO_MANY", 8 "BAD_QUEUE", 9 "BAD_OUT_GROUP",
                    10 "MATCH_INCONSISTENT", 11 "UNSUPPORTED_ORDER", 12 "BAD_TAG", 13 "BAD_SET_TYPE",
                    14 "BAD_SET_LEN", 15 "BAD_SET_ARGUMENT", 16 "BAD_TABLE_ID",
                ],
            ),
            Self::BAD_INSTRUCTION => (
                "POFBIC_",
                names![
                    0 "UNKNOWN_INST", 1 "UNSUP_INST", 2 "BAD_TABLE_ID", 3 "UNSUP_METADATA", 4 "UNSUP_METADATA_MASK",
                    5 "BAD_EXPERIMENTER", 6 "BAD_EXP_TYPE", 7 "BAD_LEN", 8 "EPERM", 9 "TOO_MANY_ACTIONS",
                    17 "TABLE_UNEXIST", 18 "ENTRY_UNEXIST", 19 "BAD_OFFSET", 20 "JUMP_INVALID",
                ],
            ),
            // 0 to 11 as in OF 1.3.5 7.4.4.
            Self::BAD_MATCH => (
                "POFBMC_",
                names![
                    0 "BAD_TYPE", 1 "BAD_LEN", 2 "BAD_TAG", 3 "BAD_DL_ADDR_MASK", 4 "BAD_NW_ADDR_MASK",
                    5 "BAD_WILDCARDS", 6 "BAD_FIELD", 7 "BAD_VALUE", 8 "BAD_MASK", 9 "BAD_PREREQ", 10 "DUP_FIELD",
                    11 "EPERM",
                ],
            ),
            Self::FLOW_MOD_FAILED => (
                "POFFMFC_",
                names![
                    0 "UNKNOWN", 1 "TABLE_FULL", 2 "BAD_TABLE_ID", 3 "OVERLAP", 4 "EPERM", 5 "BAD_TIMEOUT",
                    6 "BAD_COMMAND", 7 "BAD_FLAGS", 8 "ENTRY_EXIST", 9 "ENTRY_UNEXIST", 10 "BAD_TABLE_TYPE",
                    11 "BAD_ENTRY_ID", 12 "BAD_COUNTER_ID",
                ],
            ),
            // 0 to 14 as in OF 1.3.5 7.4.4.
            Self::GROUP_MOD_FAILED => (
                "POFGMFC_",
                names![
                    0 "GROUP_EXISTS", 1 "INVALID_GROUP", 2 "WEIGHT_UNSUPPORTED", 3 "OUT_OF_GROUPS",
                    4 "OUT_OF_BUCKETS", 5 "CHAINING_UNSUPPORTED", 6 "WATCH_UNSUPPORTED", 7 "LOOP",
                    8 "UNKNOWN_GROUP", 9 "CHAINED_GROUP", 10 "BAD_TYPE", 11 "BAD_COMMAND", 12 "BAD_BUCKET",
                    13 "BAD_WATCH", 14 "EPERM", 15 "BAD_COUNTER_ID",
                ],
            ),
            Self::PORT_MOD_FAILED => ("POFPMFC_", names![0 "UNKNOWN", 1 "BAD_PORT_ID"]),
            Self::TABLE_MOD_FAILED => (
                "POFTMFC_",
                names![
                    0 "UNKNOWN", 1 "BAD_COMMAND", 2 "BAD_TABLE_TYPE", 3 "BAD_TABLE_ID", 4 "TABLE_EXIST",
                    5 "TABLE_UNEXIST", 6 "BAD_TABLE_SIZE", 7 "BAD_KEY_LEN", 8 "TABLE_UNEMPTY",
                ],
            ),
            // 0 to 11 as in OF 1.3.5 7.4.4.
            Self::METER_MOD_FAILED => (
                "POFMMFC_",
                names![
                    0 "UNKNOWN", 1 "METER_EXISTS", 2 "INVALID_METER", 3 "UNKNOWN_METER", 4 "BAD_COMMAND",
                    5 "BAD_FLAGS", 6 "BAD_RATE", 7 "BAD_BURST", 8 "BAD_BAND", 9 "BAD_BAND_VALUE",
                    10 "OUT_OF_METERS", 11 "OUT_OF_BANDS",
                ],
            ),
            Self::COUNTER_MOD_FAILED => (
                "POFCMFC_",
                names![0 "UNKNOWN", 1 "BAD_COUNTER_ID", 2 "BAD_COMMAND", 3 "COUNTER_UNEXIST", 4 "COUNTER_EXIST"],
            ),
            _ => return None,
        };
        Some(Codes { prefix, names })
    }
}

/// An error's type and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    /// What it is about.
    pub ty: ErrorType,
    /// What exactly; the numbers of each type are its own.
    pub code: u16,
}

impl ErrorCode {
    /// HELLO_FAILED/INCOMPATIBLE.
    pub const INCOMPATIBLE: Self = Self::new(ErrorType::HELLO_FAILED, 0);
    /// BAD_REQUEST/BAD_VERSION.
    pub const BAD_VERSION: Self = Self::new(ErrorType::BAD_REQUEST, 0);
    /// BAD_REQUEST/BAD_TYPE.
    pub const BAD_TYPE: Self = Self::new(ErrorType::BAD_REQUEST, 1);
    /// BAD_REQUEST/BAD_LEN.
    pub const BAD_LEN: Self = Self::new(ErrorType::BAD_REQUEST, 6);
    /// BAD_REQUEST/BAD_PACKET.
    pub const BAD_PACKET: Self = Self::new(ErrorType::BAD_REQUEST, 12);
    /// BAD_ACTION/BAD_LEN.
    pub const BAD_ACTION_LEN: Self = Self::new(ErrorType::BAD_ACTION, 1);
    /// BAD_ACTION/TOO_MANY.
    pub const TOO_MANY: Self = Self::new(ErrorType::BAD_ACTION, 7);
    /// BAD_INSTRUCTION/BAD_LEN.
    pub const BAD_INSTRUCTION_LEN: Self = Self::new(ErrorType::BAD_INSTRUCTION, 7);
    /// BAD_INSTRUCTION/TOO_MANY_ACTIONS.
    pub const TOO_MANY_ACTIONS: Self = Self::new(ErrorType::BAD_INSTRUCTION, 9);
    /// BAD_MATCH/BAD_LEN.
    pub const BAD_MATCH_LEN: Self = Self::new(ErrorType::BAD_MATCH, 1);

    /// A type and a code.
    pub const fn new(ty: ErrorType, code: u16) -> Self {
        Self { ty, code }
    }

    /// The code's name: `BAD_TYPE`.
    pub fn name(self) -> Option<&'static str> {
        let names = self.ty.codes()?.names;
        names.iter().find_map(|&(code, name)| (code == self.code).then_some(name))
    }

    /// The code's symbol in POFSwitch, which a switch sends as `err_str`: `POFBRC_BAD_TYPE`.
    pub fn symbol(self) -> Option<String> {
        // The symbol of this one has a slip of the pen.
        if self == Self::new(ErrorType::BAD_INSTRUCTION, 20) {
            return Some("POFBIC_JUM_TO_INVALID_INST".to_owned());
        }
        Some(format!("{}{}", self.ty.codes()?.prefix, self.name()?))
    }

    /// All named codes of all types.
    pub fn all() -> impl Iterator<Item = Self> {
        ErrorType::NAMES.iter().flat_map(|&(_, ty)| {
            let names = ErrorType(ty).codes().map_or(&[][..], |codes| codes.names);
            names.iter().map(move |&(code, _)| Self::new(ErrorType(ty), code))
        })
    }

    fn from_name(ty: ErrorType, name: &str) -> Option<Self> {
        Self::all().find(|code| code.ty == ty && code.name() == Some(name))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{}/{name}", self.ty),
            None => write!(f, "{}/{}", self.ty, self.code),
        }
    }
}

impl From<ErrorCode> for (u16, u16) {
    fn from(code: ErrorCode) -> Self {
        (code.ty.0, code.code)
    }
}

impl From<(u16, u16)> for ErrorCode {
    fn from((ty, code): (u16, u16)) -> Self {
        Self::new(ErrorType(ty), code)
    }
}

impl Codec for ErrorCode {
    const MIN: usize = 4;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self::new(ErrorType::read(r)?, u16::read(r)?))
    }

    fn write(&self, w: &mut Writer<'_>) {
        self.ty.write(w);
        self.code.write(w);
    }
}

/// `"type"` and `"code"`, by name where there is one.
impl JsonObject for ErrorCode {
    fn to_fields(&self, object: &mut Object) {
        self.ty.put("type", object);
        object.push("code", self.name().map_or_else(|| self.code.to_json(), Value::from));
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        let ty: ErrorType = object.field("type")?;
        let code = object.take("code").ok_or_else(|| JsonError::new("missing").within("code"))?;
        if let Value::Text(name) = &code
            && let Some(named) = Self::from_name(ty, name)
        {
            return Ok(named);
        }
        u16::from_json(code).map(|code| Self::new(ty, code)).map_err(|e| e.within("code"))
    }
}

ferroflow_wire::__object_json!(ErrorCode);

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for ErrorCode {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let named: Vec<Self> = Self::all().collect();
            match e.below(4) {
                0 => Self::new(Arbitrary::arbitrary(e), Arbitrary::arbitrary(e)),
                _ => named[e.below(named.len())],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_symbols() {
        assert_eq!(ErrorCode::BAD_TYPE.to_string(), "BAD_REQUEST/BAD_TYPE");
        assert_eq!(ErrorCode::BAD_TYPE.symbol().as_deref(), Some("POFBRC_BAD_TYPE"));
        assert_eq!(ErrorCode::new(ErrorType::SOFTWARE_FAILED, 0x6001).to_string(), "SOFTWARE_FAILED/24577");
        assert_eq!(ErrorCode::new(ErrorType(99), 1).name(), None);
        // WIRE.md 4, ERROR: as many names as the table has.
        assert_eq!(ErrorCode::all().count(), 2 + 14 + 17 + 14 + 12 + 13 + 16 + 2 + 9 + 12 + 5);
        for code in ErrorCode::all() {
            let name = code.name().unwrap();
            assert_eq!(
                ErrorCode::from_name(code.ty, name),
                Some(code),
                "names are one of a kind in their type"
            );
            assert!(code.symbol().unwrap().starts_with("POF"));
        }
    }

    /// WIRE.md's rows of types: number, name, codes.
    fn rows() -> Vec<(u16, &'static str, &'static str)> {
        let (_, table) = include_str!("../WIRE.md").split_once("| type | name | codes |").unwrap();
        let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let cells = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
        cells.filter_map(|cells| Some((cells[0].parse().ok()?, cells[1], cells[2]))).collect()
    }

    /// Whether a name is the one that WIRE.md shortens: words are left out, or their ends.
    fn is_short_for(short: &str, name: &str) -> bool {
        let mut words = name.split('_');
        short.split('_').all(|part| words.any(|word| word.starts_with(part)))
    }

    #[test]
    fn numbers_are_those_of_the_wire_format() {
        let rows = rows();
        assert_eq!(rows.len(), 13);
        for (ty, name, codes) in rows {
            assert_eq!(ErrorType(ty).name(), Some(name));
            let ours: Vec<(u16, &str)> =
                ErrorCode::all().filter(|c| c.ty.0 == ty).map(|c| (c.code, c.name().unwrap())).collect();
            let (range, codes) = match codes.split_once(" as OF1.3") {
                Some((range, codes)) => (range.strip_prefix("0..").unwrap().parse().unwrap(), codes),
                None if codes.starts_with("0 ") => (0, codes),
                // Codes without a name.
                None => {
                    assert_eq!(ours, [], "{name}");
                    continue;
                }
            };
            let words: Vec<&str> = codes.trim_start_matches(',').split_whitespace().collect();
            let (own, standard): (Vec<_>, Vec<_>) =
                ours.iter().partition(|(code, _)| range == 0 || *code > range);
            assert_eq!(own.len() * 2, words.len(), "{name}");
            for ((code, ours), wire) in own.into_iter().zip(words.chunks(2)) {
                assert_eq!(wire[0].parse(), Ok(code), "{name}");
                assert!(is_short_for(wire[1], ours), "{name} {code}: {ours} and {}", wire[1]);
            }
            let standard: Vec<&str> = standard.into_iter().map(|(_, name)| name).collect();
            assert!(standard.len() == usize::from(range) + usize::from(range > 0), "{name}");
            match ErrorType(ty) {
                ErrorType::BAD_MATCH => assert_eq!(standard, BAD_MATCH),
                ErrorType::GROUP_MOD_FAILED => assert_eq!(standard, GROUP_MOD_FAILED),
                ErrorType::METER_MOD_FAILED => assert_eq!(standard, METER_MOD_FAILED),
                _ => assert!(standard.is_empty(), "{name}"),
            }
        }
    }

    // OF 1.3.5 7.4.4, from 0 on.
    const BAD_MATCH: [&str; 12] = [
        "BAD_TYPE",
        "BAD_LEN",
        "BAD_TAG",
        "BAD_DL_ADDR_MASK",
        "BAD_NW_ADDR_MASK",
        "BAD_WILDCARDS",
        "BAD_FIELD",
        "BAD_VALUE",
        "BAD_MASK",
        "BAD_PREREQ",
        "DUP_FIELD",
        "EPERM",
    ];
    const GROUP_MOD_FAILED: [&str; 15] = [
        "GROUP_EXISTS",
        "INVALID_GROUP",
        "WEIGHT_UNSUPPORTED",
        "OUT_OF_GROUPS",
        "OUT_OF_BUCKETS",
        "CHAINING_UNSUPPORTED",
        "WATCH_UNSUPPORTED",
        "LOOP",
        "UNKNOWN_GROUP",
        "CHAINED_GROUP",
        "BAD_TYPE",
        "BAD_COMMAND",
        "BAD_BUCKET",
        "BAD_WATCH",
        "EPERM",
    ];
    const METER_MOD_FAILED: [&str; 12] = [
        "UNKNOWN",
        "METER_EXISTS",
        "INVALID_METER",
        "UNKNOWN_METER",
        "BAD_COMMAND",
        "BAD_FLAGS",
        "BAD_RATE",
        "BAD_BURST",
        "BAD_BAND",
        "BAD_BAND_VALUE",
        "OUT_OF_METERS",
        "OUT_OF_BANDS",
    ];
}
