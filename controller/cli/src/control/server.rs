//! The serving end: a thread that lets clients in, and one for each of them.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use ferroflow_runtime::Inspector;

use super::{Answer, Bound, Core, Request, Snapshot, VERSION};

/// Clients at once.
const CLIENTS_MAX: usize = 8;
/// How long a client may say nothing, or may take for a request.
const SILENCE: Duration = Duration::from_secs(120);
/// How long a client may take to read an answer.
const READING: Duration = Duration::from_secs(2);
/// Longest request, in bytes.
const REQUEST_MAX: usize = 4096;
/// The cores are asked no more often than this, however many clients there are.
const FRESH: Duration = Duration::from_millis(100);
/// A core that does not answer for so long is stuck, and the others' figures are worth having.
const PATIENCE: Duration = Duration::from_secs(1);

/// What does not change while it runs.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// What runs where, in one line.
    pub(crate) runs: String,
    /// Where it listens.
    pub(crate) listening: Vec<String>,
}

/// The running server. Its socket's file goes with this value; the threads go with the process.
#[derive(Debug)]
pub(crate) struct Server {
    _bound: Bound,
}

impl Server {
    /// Answers whoever comes.
    ///
    /// # Errors
    /// When there is no thread or descriptor left.
    pub(crate) fn start(bound: Bound, about: About, cores: Inspector) -> anyhow::Result<Server> {
        let listener = bound.listener.try_clone().context("cannot serve the control socket")?;
        let desk = Arc::new(Desk::new(about, move || {
            cores.figures(PATIENCE).into_iter().map(|core| core.map(Core::from)).collect()
        }));
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                for client in listener.incoming() {
                    match client {
                        Ok(client) => let_in(&desk, client),
                        // Out of descriptors, for example.
                        Err(_) => std::thread::sleep(Duration::from_millis(100)),
                    }
                }
            })
            .context("cannot start the control thread")?;
        Ok(Server { _bound: bound })
    }
}

fn let_in(desk: &Arc<Desk>, client: UnixStream) {
    if desk.clients.fetch_add(1, Ordering::Relaxed) >= CLIENTS_MAX {
        let _ = write(&client, &refusal(format!("{CLIENTS_MAX} clients are here already")));
        desk.clients.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let theirs = desk.clone();
    let thread = std::thread::Builder::new().name("control-client".to_owned()).spawn(move || {
        if let Err(error) = theirs.serve(&client) {
            tracing::debug!("a client of the control socket was cut off: {error}");
        }
        theirs.clients.fetch_sub(1, Ordering::Relaxed);
    });
    if thread.is_err() {
        desk.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What asks the cores.
type Ask = Box<dyn Fn() -> Vec<Option<Core>> + Send + Sync>;

/// What the clients' threads share.
struct Desk {
    about: About,
    began: Instant,
    ask: Ask,
    latest: Mutex<Option<(Instant, Snapshot)>>,
    clients: AtomicUsize,
}

impl Desk {
    fn new(about: About, ask: impl Fn() -> Vec<Option<Core>> + Send + Sync + 'static) -> Desk {
        let ask = Box::new(ask);
        Desk { about, began: Instant::now(), ask, latest: Mutex::default(), clients: AtomicUsize::new(0) }
    }

    /// One client, until it goes or is cut off.
    fn serve(&self, client: &UnixStream) -> io::Result<()> {
        while let Some(line) = read_line(client)? {
            write(client, &self.answer(&line))?;
        }
        Ok(())
    }

    fn answer(&self, line: &[u8]) -> Answer {
        match serde_json::from_slice::<Request>(line) {
            Ok(Request { v: VERSION, get }) if get == "snapshot" => {
                Answer { v: VERSION, snapshot: Some(self.snapshot()), error: None }
            }
            Ok(Request { v: VERSION, get }) => {
                refusal(format!("there is no {get:?} to get: \"snapshot\" is"))
            }
            Ok(Request { v, .. }) => refusal(format!("version {v} is not spoken here, but {VERSION}")),
            Err(error) => refusal(format!("no request: {error}")),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, snapshot)) = &*latest
            && at.elapsed() < FRESH
        {
            return snapshot.clone();
        }
        let snapshot = Snapshot {
            pid: std::process::id(),
            runs: self.about.runs.clone(),
            listening: self.about.listening.clone(),
            uptime_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            cores: (self.ask)(),
        };
        *latest = Some((Instant::now(), snapshot.clone()));
        snapshot
    }
}

fn refusal(error: String) -> Answer {
    Answer { v: VERSION, snapshot: None, error: Some(error) }
}

/// What is left until `until`; an error when nothing is.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A request, or `None` where the client has gone. A client does not send the next one before it has the answer.
fn read_line(mut client: &UnixStream) -> io::Result<Option<Vec<u8>>> {
    let until = Instant::now() + SILENCE;
    let (mut line, mut room) = (Vec::new(), [0; REQUEST_MAX]);
    loop {
        client.set_read_timeout(Some(left(until)?))?;
        let n = client.read(&mut room[line.len()..])?;
        if n == 0 {
            return Ok(None);
        }
        let start = line.len();
        line.extend_from_slice(&room[start..start + n]);
        match line.iter().position(|&byte| byte == b'\n') {
            Some(end) if end + 1 == line.len() => return Ok(Some(line)),
            Some(_) => return Err(io::Error::other("it does not wait for answers")),
            None if line.len() == REQUEST_MAX => return Err(io::Error::other("its request is too long")),
            None => {}
        }
    }
}

fn write(mut client: &UnixStream, answer: &Answer) -> io::Result<()> {
    let until = Instant::now() + READING;
    let mut bytes = serde_json::to_vec(answer)?;
    bytes.push(b'\n');
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        client.set_write_timeout(Some(left(until)?))?;
        let n = client.write(rest)?;
        rest = &rest[n..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    fn desk(cores: usize) -> Arc<Desk> {
        let about = About { runs: "a test".to_owned(), listening: vec!["*:1".to_owned()] };
        let figures = ferroflow_runtime::Figures {
            stack: ferroflow_stack::Counters::default().iter().collect(),
            ..Default::default()
        };
        Arc::new(Desk::new(about, move || (0..cores).map(|_| Some(figures.clone().into())).collect()))
    }

    fn say(client: &mut UnixStream, line: &str) -> Option<Answer> {
        client.write_all(line.as_bytes()).unwrap();
        let mut text = String::new();
        BufReader::new(client).read_line(&mut text).unwrap();
        serde_json::from_str(&text).ok()
    }

    #[test]
    fn requests_are_answered_one_by_one() {
        let desk = desk(2);
        let (mut client, theirs) = UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || desk.serve(&theirs));
        let answer = say(&mut client, "{\"v\":1,\"get\":\"snapshot\"}\n").unwrap();
        assert_eq!(answer.snapshot.unwrap().cores.len(), 2);
        for (line, part) in [
            ("{\"v\":1,\"get\":\"tea\"}\n", "\"tea\""),
            ("{\"v\":9,\"get\":\"snapshot\"}\n", "version 9"),
            ("GET / HTTP/1.1\n", "no request"),
        ] {
            let answer = say(&mut client, line).unwrap();
            assert!(answer.snapshot.is_none() && answer.error.unwrap().contains(part), "{line}");
        }
        drop(client);
        thread.join().unwrap().unwrap();
    }

    #[test]
    fn endless_and_hasty_requests_are_cut_off() {
        for bytes in [vec![b'x'; REQUEST_MAX], b"{}\n{}\n".to_vec()] {
            let (mut client, theirs) = UnixStream::pair().unwrap();
            client.write_all(&bytes).unwrap();
            assert!(desk(1).serve(&theirs).is_err());
        }
    }

    /// It asks and never reads: its thread waits for two seconds, and nobody else does.
    #[test]
    fn a_client_that_does_not_read_is_cut_off() {
        let desk = desk(500);
        let (mut client, theirs) = UnixStream::pair().unwrap();
        client.write_all(b"{\"v\":1,\"get\":\"snapshot\"}\n").unwrap();
        let slow = std::thread::spawn({
            let desk = desk.clone();
            move || desk.serve(&theirs)
        });
        let (mut other, theirs) = UnixStream::pair().unwrap();
        std::thread::spawn(move || desk.serve(&theirs));
        let answer = say(&mut other, "{\"v\":1,\"get\":\"snapshot\"}\n").unwrap();
        assert_eq!(answer.snapshot.unwrap().cores.len(), 500);
        assert!(slow.join().unwrap().is_err());
        drop(client);
    }

    #[test]
    fn no_more_clients_than_the_limit() {
        let desk = desk(1);
        let mut clients = Vec::new();
        for _ in 0..CLIENTS_MAX {
            let (client, theirs) = UnixStream::pair().unwrap();
            let_in(&desk, theirs);
            clients.push(client);
        }
        let (mut late, theirs) = UnixStream::pair().unwrap();
        let_in(&desk, theirs);
        let mut text = String::new();
        late.read_to_string(&mut text).unwrap();
        assert!(text.contains("clients are here already"), "{text}");
        assert!(say(&mut clients[0], "{\"v\":1,\"get\":\"snapshot\"}\n").is_some());
        drop(clients);
        let until = Instant::now() + Duration::from_secs(10);
        while desk.clients.load(Ordering::Relaxed) > 0 {
            assert!(Instant::now() < until, "they are gone");
            std::thread::yield_now();
        }
    }
}
