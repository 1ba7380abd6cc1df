//! Socket calls: from a script's words to the stack, and what came of them back.

use std::collections::HashMap;
use std::net::SocketAddr;

use ferroflow_stack::Instant;
use ferroflow_stack::sockets::{Closing, Errno, Event, Fd};

use super::ast::{Call, Expr, Micros};
use super::symbols;
use super::wire::Endpoint;
use crate::host::{Host, PollFd, flag};

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    Blocks,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done(i64),
    Failed(i32),
    /// The descriptor is in blocking mode and the call waits: it is made again as it was.
    Blocks,
}

/// A call in numbers.
#[derive(Debug)]
enum Work {
    Socket(i32, i32, i32),
    Bind(i32),
    Listen(i32, i32),
    Accept(i32),
    Connect(i32),
    Recv { fd: i32, len: usize, flags: i32 },
    Send { fd: i32, len: usize, sent: usize, flags: i32 },
    Close { fd: i32, closing: Option<Closing> },
    Shutdown(i32, i32),
    Getsockopt { fd: i32, level: i32, name: i32, value: Vec<u8> },
    Setsockopt { fd: i32, level: i32, name: i32, value: Vec<u8> },
    Fcntl(i32, i32, i32),
    Ioctl { fd: i32, command: u64, value: i32 },
    Poll { entries: Vec<PollFd>, deadline: Deadline },
    EpollCreate(i32),
    EpollCtl { epoll: i32, operation: i32, fd: i32, events: u32, data: u64 },
    EpollWait { epoll: i32, found: Vec<Event>, count: usize, deadline: Deadline },
}

/// Most events that a script waits for at once.
const MAX_EVENTS: usize = 1024;

/// When a wait gives up; `None` = never.
type Deadline = Option<Micros>;

pub(super) struct Calls {
    pub(super) host: Host,
    /// The stack's descriptors by the script's.
    fds: HashMap<i64, i32>,
    /// Where `bind` binds to.
    bind_to: SocketAddr,
    /// Where `connect` connects to.
    connect_to: SocketAddr,
    /// The peer of the connection that `accept` gave.
    pub(super) accepted: Option<Endpoint>,
    /// What the calls that have not returned yet do, the blocking one below.
    work: Vec<Work>,
    outcome: Outcome,
}

impl Calls {
    pub(super) fn new(host: Host, bind_to: SocketAddr, connect_to: SocketAddr) -> Calls {
        Calls {
            host,
            fds: HashMap::new(),
            bind_to,
            connect_to,
            accepted: None,
            work: Vec::new(),
            outcome: Outcome::Done(0),
        }
    }

    /// Makes the call.
    pub(super) fn begin(&mut self, call: &Call) -> Result<Progress, String> {
        let work = self.prepare(call)?;
        self.work.push(work);
        Ok(self.attempt())
    }

    /// Makes the call that blocks once more.
    pub(super) fn again(&mut self) -> Progress {
        self.attempt()
    }

    /// When the call that blocks gives up by itself.
    pub(super) fn deadline(&self) -> Deadline {
        match self.work.last() {
            Some(Work::Poll { deadline, .. } | Work::EpollWait { deadline, .. }) => *deadline,
            Some(Work::Close { closing, .. }) => closing.map(|closing| micros(closing.until())),
            _ => None,
        }
    }

    fn attempt(&mut self) -> Progress {
        let now = micros(self.host.now());
        let Some(mut work) = self.work.pop() else { return Progress::Done };
        self.outcome = self.invoke(&mut work, now);
        self.work.push(work);
        if self.outcome == Outcome::Blocks { Progress::Blocks } else { Progress::Done }
    }

    fn invoke(&mut self, work: &mut Work, now: Micros) -> Outcome {
        let host = &mut self.host;
        match work {
            Work::Socket(domain, kind, protocol) => done(host.socket(*domain, *kind, *protocol)),
            Work::Bind(fd) => done(host.bind(*fd, self.bind_to).map(|()| 0)),
            Work::Listen(fd, backlog) => done(host.listen(*fd, *backlog).map(|()| 0)),
            Work::Accept(fd) => {
                let new = host.accept(*fd);
                self.accepted = new.ok().map(|(_, peer)| Endpoint { ip: peer.ip(), port: peer.port() });
                may_block(new.map(|(fd, _)| fd), host, *fd)
            }
            Work::Connect(fd) => may_block(host.connect(*fd, self.connect_to).map(|()| 0), host, *fd),
            Work::Recv { fd, len, flags } => {
                let received = host.recv(*fd, &mut vec![0; *len], *flags).map(|n| n as i64);
                if *flags & flag::DONTWAIT == 0 { may_block(received, host, *fd) } else { done(received) }
            }
            Work::Send { fd, len, sent, flags } => send(host, *fd, *len, sent, *flags),
            Work::Close { fd, closing } => close(host, *fd, closing),
            Work::Shutdown(fd, how) => done(host.shutdown(*fd, *how).map(|()| 0)),
            Work::Getsockopt { fd, level, name, value } => {
                let len = host.option(*fd, *level, *name, value);
                value.truncate(len.unwrap_or(value.len()));
                done(len.map(|_| 0))
            }
            Work::Setsockopt { fd, level, name, value } => {
                done(host.set_option(*fd, *level, *name, value).map(|()| 0))
            }
            Work::Fcntl(fd, command, argument) => done(host.fcntl(*fd, *command, *argument)),
            Work::Ioctl { fd, command, value } => done(host.ioctl(*fd, *command, value).map(|()| 0)),
            Work::Poll { entries, deadline } => wait(Ok(host.poll(entries)), *deadline, now),
            Work::EpollCreate(size) => done(host.epoll_create(*size)),
            Work::EpollCtl { epoll, operation, fd, events, data } => {
                done(host.epoll_ctl(*epoll, *operation, *fd, *events, *data).map(|()| 0))
            }
            Work::EpollWait { epoll, found, count, deadline } => {
                let waited = host.epoll_wait(*epoll, found);
                *count = waited.unwrap_or(0);
                wait(waited, *deadline, now)
            }
        }
    }

    /// The call returned: compares what came of it with the script. Returns the script's result.
    pub(super) fn finish(&mut self, call: &Call) -> Result<i64, String> {
        let work = self.work.pop().ok_or("there is no call")?;
        let wanted = int(&call.result)?;
        let (actual, errno) = match self.outcome {
            Outcome::Done(value) => (value, 0),
            Outcome::Failed(errno) => (-1, errno),
            Outcome::Blocks => return Err("it still blocks".into()),
        };
        let descriptor = matches!(work, Work::Socket(..) | Work::Accept(_) | Work::EpollCreate(_));
        let as_wanted = if descriptor && wanted >= 0 { actual >= 0 } else { actual == wanted };
        if !as_wanted {
            let why =
                if errno == 0 { String::new() } else { format!(" with {}", symbols::errno_name(errno)) };
            return Err(format!("Expected result {wanted} but got {actual}{why}"));
        }
        if let Some(name) = &call.errno {
            let number = symbols::errno(name).ok_or_else(|| format!("unknown error {name}"))?;
            if number != errno {
                return Err(format!("Expected errno {name} but got {}", symbols::errno_name(errno)));
            }
        }
        if descriptor && wanted >= 0 {
            self.add_descriptor(wanted, actual)?;
        }
        self.compare(call, &work, actual)?;
        Ok(wanted)
    }

    fn add_descriptor(&mut self, script: i64, live: i64) -> Result<(), String> {
        let live = i32::try_from(live).map_err(|_| format!("{live} is no descriptor"))?;
        match self.fds.insert(script, live) {
            None => Ok(()),
            Some(_) => Err(format!("duplicate fd {script} in script")),
        }
    }

    /// Compares what the call filled in.
    fn compare(&mut self, call: &Call, work: &Work, result: i64) -> Result<(), String> {
        match work {
            Work::Close { .. } => {
                self.fds.remove(&number(call, 0)?);
                Ok(())
            }
            Work::Getsockopt { value, .. } if result == 0 => option_value(call, value),
            Work::Ioctl { value, .. } if result == 0 && call.args.len() == 3 => {
                same("ioctl optval", element(call, 2)?, i64::from(*value))
            }
            Work::Poll { entries, .. } => {
                for (wanted, entry) in list(call, 0)?.iter().zip(entries) {
                    let revents = fields(wanted)?.iter().find(|(name, _)| name == "revents");
                    let revents = revents.map_or(Ok(0), |(_, e)| int(e))?;
                    same("revents", revents, i64::from(entry.revents))?;
                }
                Ok(())
            }
            Work::EpollWait { found, count, .. } => {
                // As packetdrill does, only the first event is looked at.
                let wanted = fields(argument(call, 1)?)?;
                let (events, data) = found[..*count].first().map_or((0, 0), |e| (e.ready.0, e.data));
                same("epoll_event->events", named(wanted, "events")? as u32 as i64, i64::from(events))?;
                same("epoll_event->data", self.epoll_data(wanted)? as i64, data as i64)
            }
            _ => Ok(()),
        }
    }

    /// The script's descriptor in an argument.
    pub(super) fn descriptor(&self, call: &Call, at: usize) -> Result<i64, String> {
        number(call, at)
    }

    fn live(&self, script: i64) -> Result<i32, String> {
        self.fds.get(&script).copied().ok_or_else(|| format!("unable to find fd with script fd {script}"))
    }

    fn fd(&self, call: &Call, at: usize) -> Result<i32, String> {
        self.live(number(call, at)?)
    }

    /// `getsockopt(TCP_INFO)` of a script's descriptor.
    pub(super) fn tcp_info(&mut self, fd: i64, len: usize) -> Result<Vec<u8>, String> {
        let (tcp, info) = (6, 11);
        let fd = self.live(fd)?;
        let mut value = vec![0; len];
        let len = self.host.option(fd, tcp, info, &mut value);
        value.truncate(len.map_err(|e| format!("can't find getsockopt to get TCP info: {}", e.name()))?);
        Ok(value)
    }

    fn prepare(&self, call: &Call) -> Result<Work, String> {
        let small = |at| number(call, at).and_then(narrow);
        let size =
            |at| number(call, at).and_then(|n| usize::try_from(n).map_err(|_| format!("a length of {n}")));
        let deadline = |at| -> Result<Deadline, String> {
            let millis = number(call, at)?;
            Ok((millis >= 0).then(|| micros(self.host.now()) + millis * 1000))
        };
        let arguments = |n: usize| {
            let got = call.args.len();
            if got == n { Ok(()) } else { Err(format!("Expected {n} args but got {got}")) }
        };
        Ok(match call.name.as_str() {
            "socket" => {
                arguments(3)?;
                let domain = match argument(call, 0)? {
                    Expr::Ellipsis if self.bind_to.is_ipv6() => 10,
                    Expr::Ellipsis => 2,
                    given => narrow(int(given)?)?,
                };
                Work::Socket(domain, small(1)?, small(2)?)
            }
            "bind" => arguments(3).and_then(|()| Ok(Work::Bind(self.fd(call, 0)?)))?,
            "listen" => arguments(2).and_then(|()| Ok(Work::Listen(self.fd(call, 0)?, small(1)?)))?,
            "accept" => arguments(3).and_then(|()| Ok(Work::Accept(self.fd(call, 0)?)))?,
            "connect" => arguments(3).and_then(|()| Ok(Work::Connect(self.fd(call, 0)?)))?,
            "read" => arguments(3)
                .and_then(|()| Ok(Work::Recv { fd: self.fd(call, 0)?, len: size(2)?, flags: 0 }))?,
            "recv" | "recvfrom" => Work::Recv { fd: self.fd(call, 0)?, len: size(2)?, flags: small(3)? },
            "readv" => Work::Recv { fd: self.fd(call, 0)?, len: vector(call)?, flags: 0 },
            "write" => {
                arguments(3)?;
                Work::Send { fd: self.fd(call, 0)?, len: size(2)?, sent: 0, flags: 0 }
            }
            "send" | "sendto" => {
                Work::Send { fd: self.fd(call, 0)?, len: size(2)?, sent: 0, flags: small(3)? }
            }
            "writev" => Work::Send { fd: self.fd(call, 0)?, len: vector(call)?, sent: 0, flags: 0 },
            "close" => {
                arguments(1).and_then(|()| Ok(Work::Close { fd: self.fd(call, 0)?, closing: None }))?
            }
            "shutdown" => arguments(2).and_then(|()| Ok(Work::Shutdown(self.fd(call, 0)?, small(1)?)))?,
            "getsockopt" => {
                arguments(5)?;
                let len = usize::try_from(element(call, 4)?).map_err(|_| "a negative length")?;
                Work::Getsockopt {
                    fd: self.fd(call, 0)?,
                    level: small(1)?,
                    name: small(2)?,
                    value: vec![0; len],
                }
            }
            "setsockopt" => {
                arguments(5)?;
                let value = option_bytes(argument(call, 3)?, size(4)?)?;
                Work::Setsockopt { fd: self.fd(call, 0)?, level: small(1)?, name: small(2)?, value }
            }
            "fcntl" => {
                let argument = if call.args.len() > 2 { small(2)? } else { 0 };
                Work::Fcntl(self.fd(call, 0)?, small(1)?, argument)
            }
            "ioctl" => Work::Ioctl { fd: self.fd(call, 0)?, command: number(call, 1)? as u64, value: 0 },
            "poll" => {
                arguments(3)?;
                let entries =
                    list(call, 0)?.iter().map(|e| self.poll_entry(e)).collect::<Result<Vec<_>, _>>()?;
                if number(call, 1)? != entries.len() as i64 {
                    return Err("nfds does not match the pollfd array".into());
                }
                Work::Poll { entries, deadline: deadline(2)? }
            }
            "epoll_create" => Work::EpollCreate(small(0)?),
            "epoll_ctl" => {
                arguments(4)?;
                let event = fields(argument(call, 3)?)?;
                Work::EpollCtl {
                    epoll: self.fd(call, 0)?,
                    operation: small(1)?,
                    fd: self.fd(call, 2)?,
                    events: named(event, "events")? as u32,
                    data: self.epoll_data(event)?,
                }
            }
            "epoll_wait" => {
                arguments(4)?;
                let found = vec![Event::default(); size(2)?.min(MAX_EVENTS)];
                Work::EpollWait { epoll: self.fd(call, 0)?, found, count: 0, deadline: deadline(3)? }
            }
            other => return Err(format!("Unknown system call: '{other}'")),
        })
    }

    /// The data of an event: a descriptor of the script's, or any number.
    fn epoll_data(&self, event: &[(String, Expr)]) -> Result<u64, String> {
        match event.iter().find(|(name, _)| name != "events") {
            Some((name, value)) if name == "fd" => Ok(self.live(int(value)?)? as u64),
            Some((_, value)) => Ok(int(value)? as u64),
            None => Err("the event has no data".into()),
        }
    }

    fn poll_entry(&self, entry: &Expr) -> Result<PollFd, String> {
        let fields = fields(entry)?;
        let script = named(fields, "fd")?;
        let fd = if script < 0 { -1 } else { self.live(script)? };
        Ok(PollFd { fd, events: named(fields, "events")? as i16, revents: 0 })
    }
}

/// The host's time in microseconds.
pub(super) fn micros(at: Instant) -> Micros {
    (at.as_nanos() / 1000) as Micros
}

fn done(result: Result<impl Into<i64>, Errno>) -> Outcome {
    result.map_or_else(|e| Outcome::Failed(e.number()), |value| Outcome::Done(value.into()))
}

/// `EAGAIN` on a descriptor in blocking mode: the call waits.
fn may_block(result: Result<impl Into<i64>, Errno>, host: &Host, fd: Fd) -> Outcome {
    match result {
        Err(Errno::EAGAIN) if host.blocks(fd) => Outcome::Blocks,
        other => done(other),
    }
}

/// A send in blocking mode returns when everything has been taken.
fn send(host: &mut Host, fd: Fd, len: usize, sent: &mut usize, flags: i32) -> Outcome {
    let blocks = host.blocks(fd) && flags & flag::DONTWAIT == 0;
    loop {
        match host.send(fd, &vec![0; len - *sent], flags) {
            Ok(n) => *sent += n,
            Err(Errno::EAGAIN) if blocks => return Outcome::Blocks,
            Err(e) if *sent == 0 => return Outcome::Failed(e.number()),
            Err(_) => return Outcome::Done(*sent as i64),
        }
        if *sent >= len || !blocks {
            return Outcome::Done(*sent as i64);
        }
    }
}

/// A close may have to wait (SO_LINGER), in non-blocking mode too.
fn close(host: &mut Host, fd: Fd, closing: &mut Option<Closing>) -> Outcome {
    if closing.is_none() {
        match host.close(fd) {
            Ok(waits) => *closing = waits,
            Err(error) => return Outcome::Failed(error.number()),
        }
    }
    match closing {
        Some(closing) if !host.is_over(closing) => Outcome::Blocks,
        _ => Outcome::Done(0),
    }
}

/// A wait for events that found none goes on until its deadline.
fn wait(found: Result<usize, Errno>, deadline: Deadline, now: Micros) -> Outcome {
    match found {
        Ok(0) if deadline.is_none_or(|at| now < at) => Outcome::Blocks,
        other => done(other.map(|n| n as i64)),
    }
}

fn argument(call: &Call, at: usize) -> Result<&Expr, String> {
    call.args.get(at).ok_or_else(|| "Argument list too short".to_string())
}

fn number(call: &Call, at: usize) -> Result<i64, String> {
    int(argument(call, at)?)
}

fn int(expr: &Expr) -> Result<i64, String> {
    match expr {
        Expr::Int(n) => Ok(*n),
        Expr::Symbol(name) => symbols::value(name).ok_or_else(|| format!("unknown name {name}")),
        Expr::Or(a, b) => Ok(int(a)? | int(b)?),
        other => Err(format!("expected a number, found {other:?}")),
    }
}

/// A C `int`; unsigned numbers of 32 bits become one too.
fn narrow(value: i64) -> Result<i32, String> {
    i32::try_from(value)
        .or_else(|_| u32::try_from(value).map(|n| n as i32))
        .map_err(|_| format!("Value out of range for 32-bit integer: {value}"))
}

fn list(call: &Call, at: usize) -> Result<&[Expr], String> {
    match argument(call, at)? {
        Expr::List(all) => Ok(all),
        other => Err(format!("expected a list, found {other:?}")),
    }
}

/// The one number in `[n]`.
fn element(call: &Call, at: usize) -> Result<i64, String> {
    match list(call, at)? {
        [one] => int(one),
        _ => Err("Expected [<element>]".into()),
    }
}

fn fields(expr: &Expr) -> Result<&[(String, Expr)], String> {
    match expr {
        Expr::Struct(fields) => Ok(fields),
        other => Err(format!("expected a structure, found {other:?}")),
    }
}

fn named(fields: &[(String, Expr)], name: &str) -> Result<i64, String> {
    let found = fields.iter().find(|(known, _)| known == name);
    int(&found.ok_or_else(|| format!("there is no {name}"))?.1)
}

/// Bytes that an iovec list holds: `[{..., 100}, {..., 50}]`, and its count after it.
fn vector(call: &Call) -> Result<usize, String> {
    let parts = list(call, 1)?;
    if number(call, 2)? != parts.len() as i64 {
        return Err("iov_count does not match the iovec array".into());
    }
    let mut sum = 0;
    for part in parts {
        match part {
            Expr::List(part) if part.len() == 2 && part[0] == Expr::Ellipsis => sum += int(&part[1])?,
            other => return Err(format!("expected {{..., length}}, found {other:?}")),
        }
    }
    usize::try_from(sum).map_err(|_| "a negative length".to_string())
}

/// The bytes that `setsockopt` hands over.
fn option_bytes(value: &Expr, len: usize) -> Result<Vec<u8>, String> {
    let mut bytes = match value {
        Expr::List(one) if one.len() == 1 => narrow(int(&one[0])?)?.to_ne_bytes().to_vec(),
        Expr::Text(text) => text.clone(),
        Expr::Struct(linger) => {
            let mut bytes = narrow(named(linger, "onoff")?)?.to_ne_bytes().to_vec();
            bytes.extend(narrow(named(linger, "linger")?)?.to_ne_bytes());
            bytes
        }
        other => return Err(format!("unsupported setsockopt value: {other:?}")),
    };
    bytes.resize(len, 0);
    Ok(bytes)
}

fn option_value(call: &Call, actual: &[u8]) -> Result<(), String> {
    same("getsockopt optlen", element(call, 4)?, actual.len() as i64)?;
    match argument(call, 3)? {
        Expr::Text(text) if text == actual => Ok(()),
        Expr::Text(text) => Err(format!("Bad getsockopt optval: expected: {text:?} actual: {actual:?}")),
        Expr::List(_) => {
            let bytes =
                <[u8; 4]>::try_from(actual).map_err(|_| "Unsupported getsockopt optlen".to_string())?;
            same("getsockopt optval", narrow(element(call, 3)?)?.into(), i32::from_ne_bytes(bytes).into())
        }
        other => Err(format!("unsupported getsockopt value: {other:?}")),
    }
}

fn same(what: &str, wanted: i64, actual: i64) -> Result<(), String> {
    if wanted == actual { Ok(()) } else { Err(format!("Bad {what}: expected: {wanted} actual: {actual}")) }
}
