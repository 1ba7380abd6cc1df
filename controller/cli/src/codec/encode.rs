//! `ferroflow encode`.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context;
use ferroflow_wire::codec::Value;
use serde_json::value::RawValue;

use super::WRONG;
use super::dialect::Message;
use crate::args::EncodeArgs;

/// Most bytes of one message's JSON: a message of 64 KiB with nothing but the shortest elements has a few megabytes.
const MAX_JSON: u64 = 32 << 20;

/// Prints the hex of the messages in the input, one a line.
pub(crate) fn encode(args: &EncodeArgs) -> anyhow::Result<ExitCode> {
    let input: Box<dyn Read> = match args.file.as_deref() {
        Some(path) if path != Path::new("-") => {
            Box::new(File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
        }
        _ => Box::new(io::stdin().lock()),
    };
    let left = Rc::new(Cell::new(MAX_JSON));
    let bounded = Bounded { inner: BufReader::new(input), left: Rc::clone(&left) };
    let values = serde_json::Deserializer::from_reader(bounded).into_iter::<Box<RawValue>>();
    let mut out = io::stdout().lock();
    let (mut number, mut wrong) = (0_u64, 0_u64);
    for value in values {
        left.set(MAX_JSON);
        number += 1;
        let value = match value {
            Ok(value) => value,
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("message {number}: this is no JSON")));
            }
        };
        match bytes_of(&value) {
            Ok(bytes) => match print_hex(&mut out, &bytes) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                printed => printed?,
            },
            Err(reason) => {
                wrong += 1;
                let _ = writeln!(io::stderr(), "ferroflow: message {number}: {reason}");
            }
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(WRONG) })
}

fn bytes_of(value: &RawValue) -> Result<Vec<u8>, String> {
    let value: Value = serde_json::from_str(value.get()).map_err(|e| e.to_string())?;
    let message = Message::from_json(value).map_err(|e| e.to_string())?;
    message.encode().map_err(|e| e.to_string())
}

/// Prints a line of hex digits.
pub(super) fn print_hex(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let mut line = String::with_capacity(2 * bytes.len() + 1);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// Refuses a message that does not end.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.ok_or_else(|| io::Error::other(format!("over {MAX_JSON} bytes in one message")))?);
        Ok(read)
    }
}
