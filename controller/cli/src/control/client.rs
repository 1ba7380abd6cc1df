//! The asking end.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use super::{Answer, Request, Snapshot, VERSION};

/// How long an answer may take: longer than the server waits for a core.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: far more than 256 cores' counters.
const ANSWER_MAX: u64 = 16 << 20;

/// A connection to a running controller.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

impl Client {
    /// Goes to the socket at `path`.
    ///
    /// # Errors
    /// When nobody is there, or not for us.
    pub(crate) fn connect(path: &Path) -> anyhow::Result<Client> {
        let name = path.display();
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(e) => match e.kind() {
                io::ErrorKind::NotFound => {
                    bail!(
                        "no controller at {name}: start `ferroflow run`, or say where it is with --control PATH"
                    )
                }
                io::ErrorKind::ConnectionRefused => {
                    bail!("nobody listens at {name} any more: the process that made it has ended")
                }
                io::ErrorKind::PermissionDenied => {
                    bail!("{name} is for its user alone: become the one who runs the controller")
                }
                _ => return Err(e).with_context(|| format!("cannot connect to {name}")),
            },
        };
        stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)))?;
        Ok(Client { stream: BufReader::new(stream), path: path.to_owned() })
    }

    /// Asks for all that was counted so far.
    ///
    /// # Errors
    /// When the controller has gone, says no, or is no controller.
    pub(crate) fn snapshot(&mut self) -> anyhow::Result<Snapshot> {
        let name = self.path.display();
        let mut line = serde_json::to_vec(&Request { v: VERSION, get: "snapshot".to_owned() })?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).with_context(|| format!("{name}: it has hung up"))?;
        line.clear();
        let read = (&mut self.stream).take(ANSWER_MAX).read_until(b'\n', &mut line);
        match read {
            Ok(0) => bail!("{name}: it has hung up"),
            Ok(_) => {}
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                bail!("{name}: no answer within {} s", PATIENCE.as_secs())
            }
            Err(e) => return Err(e).with_context(|| format!("{name}: it has hung up")),
        }
        read_answer(&line).with_context(|| format!("{name} is not answered as a controller does"))
    }
}

fn read_answer(line: &[u8]) -> anyhow::Result<Snapshot> {
    // The version first: the rest may have changed with it.
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    let Version { v } = serde_json::from_slice(line)?;
    if v != VERSION {
        bail!(
            "it speaks version {v} of the protocol, this program {VERSION}: use the ferroflow that runs there"
        );
    }
    match serde_json::from_slice(line)? {
        Answer { snapshot: Some(snapshot), .. } => Ok(snapshot),
        Answer { error, .. } => bail!("{}", error.unwrap_or_else(|| "it says nothing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        read_answer(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn answers_are_read_with_care() {
        assert!(error("HTTP/1.1 400 Bad Request").contains("expected value"));
        assert!(error("{}").contains("missing field"));
        assert!(error("{\"v\":2,\"snapshot\":[]}").contains("version 2"));
        assert_eq!(error("{\"v\":1,\"error\":\"full\"}"), "full");
        assert_eq!(error("{\"v\":1}"), "it says nothing");
        let good =
            r#"{"v":1,"snapshot":{"pid":1,"runs":"","listening":[],"uptime_ms":5,"cores":[null],"new":7}}"#;
        assert_eq!(read_answer(good.as_bytes()).unwrap().cores, [None]);
    }
}
