//! `ferroflow decode`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::capture::{self, Place};
use super::cut::{Cutter, Fault, Piece};
use super::dialect::{Dialect, Message};
use super::{WRONG, hex};
use crate::args::DecodeArgs;

/// The ports that OpenFlow has: IANA's, and the one from before.
const PORTS: [u16; 2] = [6653, 6633];

/// Prints the messages of the input.
pub(crate) fn decode(args: &DecodeArgs) -> anyhow::Result<ExitCode> {
    let mut input = open(args.file.as_deref())?;
    let dialect = args.pof.map_or(Dialect::OpenFlow, Dialect::Pof);
    let mut printer = Printer::new(dialect, args.reencode);
    let mut first = Vec::new();
    input.by_ref().take(capture::MAGIC_LEN).read_to_end(&mut first).context("the input cannot be read")?;
    let is_capture = capture::is_magic(&first);
    let input = BufReader::new(io::Cursor::new(first).chain(input));
    let read = if is_capture {
        printer.of_capture(input, &args.tcp_port)
    } else if args.binary {
        printer.of_bytes(input)
    } else {
        printer.of_hex(input)
    };
    match read {
        Err(error) if is_broken_pipe(&error) => return Ok(ExitCode::SUCCESS),
        read => read?,
    }
    if printer.wrong == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    printer.complain(format_args!("{} good, {} wrong", printer.good, printer.wrong));
    Ok(ExitCode::from(WRONG))
}

/// The file, or the standard input for `-` or no name.
fn open(file: Option<&Path>) -> anyhow::Result<Box<dyn Read>> {
    Ok(match file {
        Some(path) if path != Path::new("-") => {
            Box::new(File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
        }
        _ => Box::new(io::stdin().lock()),
    })
}

/// Whoever read our output has seen enough, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

struct Printer {
    dialect: Dialect,
    reencode: bool,
    /// Written to by whole lines, so that what is decoded is seen at once.
    out: io::StdoutLock<'static>,
    good: u64,
    wrong: u64,
}

impl Printer {
    fn new(dialect: Dialect, reencode: bool) -> Self {
        Self { dialect, reencode, out: io::stdout().lock(), good: 0, wrong: 0 }
    }

    fn of_capture(&mut self, input: impl Read, ports: &[u16]) -> anyhow::Result<()> {
        let is_ours = |port: u16| PORTS.contains(&port) || ports.contains(&port);
        let read = capture::read(input, is_ours, |place, piece| self.piece(Some(place), piece));
        let seen = read.context("the capture cannot be read to its end")?;
        for note in seen.left_out() {
            self.wrong += 1;
            self.complain(format_args!("{note}"));
        }
        if self.good + self.wrong == 0 {
            let ports: Vec<_> = PORTS.iter().chain(ports).map(u16::to_string).collect();
            let (packets, ports) = (seen.packets, ports.join(", "));
            self.complain(format_args!(
                "none of the {packets} packets has a message on TCP ports {ports} (--tcp-port adds others)"
            ));
        }
        Ok(())
    }

    fn of_bytes(&mut self, mut input: impl BufRead) -> anyhow::Result<()> {
        let mut cutter = Cutter::default();
        loop {
            let bytes = input.fill_buf().context("the input cannot be read")?;
            let len = bytes.len();
            if len == 0 {
                break;
            }
            cutter.feed(bytes, &mut |piece: Piece<'_>| self.piece(None, piece))?;
            input.consume(len);
        }
        cutter.end(&mut |piece: Piece<'_>| self.piece(None, piece))?;
        Ok(())
    }

    fn of_hex(&mut self, input: impl BufRead) -> anyhow::Result<()> {
        let mut cutter = Cutter::default();
        let read =
            hex::read(input, |bytes| cutter.feed(bytes, &mut |piece: Piece<'_>| self.piece(None, piece)));
        if let Err(hex::HexError::Io(error)) = read {
            return Err(error.into());
        }
        cutter.end(&mut |piece: Piece<'_>| self.piece(None, piece))?;
        read.context("this is no hex text")
    }

    fn piece(&mut self, place: Option<&Place>, piece: Piece<'_>) -> io::Result<()> {
        let at = piece.at;
        let problem = match piece.what {
            Ok(bytes) => match self.dialect.decode(bytes) {
                Ok(message) => match self.print(&message)? {
                    Ok(()) => {
                        self.good += 1;
                        return Ok(());
                    }
                    Err(unwritable) => unwritable,
                },
                Err(error) => {
                    let version = bytes.first().copied().unwrap_or_default();
                    format!("{error}; to be answered with {}", error.answer(version))
                }
            },
            Err(Fault::Truncated { bytes, need }) => {
                let name = self.dialect.name(&bytes).map_or_else(String::new, |name| format!("{name}: "));
                format!("{name}{}", Fault::Truncated { bytes, need })
            }
            Err(fault) => fault.to_string(),
        };
        self.wrong += 1;
        let number = self.good + self.wrong;
        match place {
            None => self.complain(format_args!("message {number} at byte {at}: {problem}")),
            Some(place) => {
                self.complain(format_args!("message {number} at byte {at} from {place}: {problem}"));
            }
        }
        Ok(())
    }

    /// Prints a message; the inner error is one that it cannot be written with.
    fn print(&mut self, message: &Message) -> io::Result<Result<(), String>> {
        if self.reencode {
            match message.encode() {
                Ok(bytes) => super::encode::print_hex(&mut self.out, &bytes)?,
                Err(error) => return Ok(Err(error.to_string())),
            }
        } else {
            let mut line = serde_json::to_vec(message)?;
            line.push(b'\n');
            self.out.write_all(&line)?;
        }
        Ok(Ok(()))
    }

    fn complain(&self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(io::stderr(), "ferroflow: {what}");
    }
}
