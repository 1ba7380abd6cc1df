//! Steps, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;

use ferroflow_stack::Instant;

use super::assertion;
use super::ast::{Action, Call, Event, Micros, Time};
use super::calls::{Calls, Progress, micros};
use super::check::{Tolerance, seconds};
use super::flow::{Flow, Phase};
use super::packet::{Body, Icmp, Packet, Tcp};
use super::parse::parse;
use super::settings::Settings;
use super::wire::{self, Endpoint, Seen};
use super::{Failure, Report};
use crate::host::Host;

/// How long an expected packet is waited for: as long as packetdrill's interface lets time run.
const PATIENCE: Micros = 200_000_000;

/// Reads `text` and runs it against a host of its own.
///
/// # Errors
/// What cannot be read, or the first step that went otherwise than the script says.
pub fn run(text: &str) -> Result<Report, Failure> {
    let script = parse(text)?;
    let settings = Settings::of(&script)?;
    let host = Host::new(settings.host()?);
    let start = micros(host.now());
    let mut runner = Runner {
        settings: &settings,
        tolerance: settings.tolerance,
        calls: Calls::new(
            host,
            SocketAddr::new(settings.local_ip, settings.bind_port),
            SocketAddr::new(settings.remote_ip, settings.connect_port),
        ),
        start,
        flows: Vec::new(),
        current: None,
        next_port: settings.first_port,
        arrived: VecDeque::new(),
        before: None,
        pending: None,
        checked: 0,
    };
    for event in &script.events {
        runner.event(event).map_err(|what| Failure { line: event.line, what })?;
    }
    let last = script.events.last().map_or(1, |e| e.line);
    runner.finish().map_err(|what| Failure { line: last, what })?;
    if runner.checked == 0 {
        return Err(Failure { line: last, what: "the script checks nothing".into() });
    }
    Ok(Report { checked: runner.checked, took: runner.now() })
}

/// The step before: what its time was, and whether a packet was injected.
#[derive(Clone, Copy)]
struct Before {
    at: Micros,
    injected: bool,
}

/// A call that has not returned yet.
struct Pending {
    call: Call,
    line: u32,
    time: Time,
    /// When it was made, and when it must return.
    from: Micros,
    until: Micros,
}

struct Runner<'a> {
    settings: &'a Settings,
    tolerance: Tolerance,
    calls: Calls,
    start: Micros,
    flows: Vec<Flow>,
    /// The connection under test: packets of others are not looked at.
    current: Option<usize>,
    next_port: u16,
    arrived: VecDeque<(Micros, Seen)>,
    before: Option<Before>,
    pending: Option<Pending>,
    checked: usize,
}

impl Runner<'_> {
    /// The time since the script's start.
    fn now(&self) -> Micros {
        micros(self.calls.host.now()) - self.start
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        let injects = matches!(event.action, Action::Inject(_));
        let base = match self.before {
            // Packets that follow each other are timed from each other, so that errors do not add up.
            Some(before) if before.injected && injects => before.at,
            _ => self.now(),
        };
        let (from, to) = match event.time {
            Time::Any => (base, base),
            Time::Absolute(at) => (at, at),
            Time::Relative(after) => (base + after, base + after),
            Time::AbsoluteRange(from, to) => (from, to),
            Time::RelativeRange(from, to) => (base + from, base + to),
        };
        match &event.action {
            Action::Inject(packet) => {
                self.wait(from, event.time, "inbound packet")?;
                self.inject(packet)?;
            }
            Action::Expect(packet) => self.expect(packet, event.time, (from, to))?,
            Action::Call(call) => {
                if call.end.is_some() {
                    self.settle_pending()?;
                }
                self.wait(from, event.time, "system call start")?;
                self.call(call, event, from)?;
            }
            Action::Assert(code) => {
                self.wait(from, event.time, "assertion")?;
                self.assert(code)?;
            }
        }
        self.before = Some(Before { at: from, injected: injects });
        Ok(())
    }

    /// Lets time pass until `at`; it must not be over.
    fn wait(&mut self, at: Micros, kind: Time, what: &str) -> Result<(), String> {
        while self.now() < at {
            self.step(at)?;
        }
        self.tolerance.time(kind, (at, at), self.now(), self.before.map(|b| b.at), what)
    }

    /// One step of the stack, up to `until`.
    fn step(&mut self, until: Micros) -> Result<(), String> {
        let until = self.start + until;
        let until = self.calls.deadline().map_or(until, |at| at.min(until));
        self.calls.host.step(Instant::from_micros(until as u64));
        self.collect()?;
        self.poll_pending()
    }

    /// Takes what left the stack.
    fn collect(&mut self) -> Result<(), String> {
        while let Some((at, packet)) = self.calls.host.sent() {
            let at = micros(at) - self.start;
            match wire::read(&packet) {
                Ok(Some(seen)) => self.arrived.push_back((at, seen)),
                Ok(None) => {}
                Err(what) => {
                    return Err(format!("a malformed packet left the stack at {}: {what}", seconds(at)));
                }
            }
        }
        Ok(())
    }

    fn inject(&mut self, packet: &Packet) -> Result<(), String> {
        let bytes = match &packet.body {
            Body::Tcp(tcp) => self.segment(packet, tcp)?,
            Body::Icmp(icmp) => self.icmp(packet, icmp)?,
        };
        self.calls.host.inject(&bytes);
        self.collect()?;
        self.poll_pending()
    }

    fn segment(&mut self, packet: &Packet, tcp: &Tcp) -> Result<Vec<u8>, String> {
        let current = self.current_for_segment(tcp);
        let flow = &mut self.flows[current];
        flow.before_injecting(tcp);
        let live = flow.live(tcp)?;
        let (Some(mut local), Some(mut remote)) = (flow.local, flow.remote) else {
            return Err("no matching socket for script packet".into());
        };
        if let Some((from, to)) = tcp.ports {
            remote.port = if from == 0 { remote.port } else { from };
            local.port = if to == 0 { local.port } else { to };
        }
        Ok(wire::tcp_packet(packet, &live, remote, local))
    }

    /// The connection that a segment from the peer belongs to: to a listener, or to nobody, it begins one.
    fn current_for_segment(&mut self, tcp: &Tcp) -> usize {
        let begins = self.current.is_none_or(|at| self.flows[at].phase == Phase::Listening);
        match self.current {
            Some(at) if !begins => at,
            _ => {
                let local = Endpoint { ip: self.settings.local_ip, port: self.settings.bind_port };
                let remote = Endpoint { ip: self.settings.remote_ip, port: self.next_port };
                self.next_port += 1;
                self.add(Flow::passive(local, remote, tcp))
            }
        }
    }

    fn add(&mut self, flow: Flow) -> usize {
        self.flows.push(flow);
        self.current = Some(self.flows.len() - 1);
        self.flows.len() - 1
    }

    fn icmp(&mut self, packet: &Packet, icmp: &Icmp) -> Result<Vec<u8>, String> {
        let flow = self.current.map(|at| &self.flows[at]);
        let Some((flow, local, remote)) = flow.and_then(|f| Some((f, f.local?, f.remote?))) else {
            return Err("no matching socket for script packet".into());
        };
        Ok(wire::icmp_packet(packet, &flow.live_icmp(icmp), local, remote))
    }

    fn expect(&mut self, packet: &Packet, kind: Time, (from, to): (Micros, Micros)) -> Result<(), String> {
        let Body::Tcp(tcp) = &packet.body else { return Err("ICMP cannot be expected".into()) };
        let Some(current) = self.current else { return Err("no matching socket for script packet".into()) };
        self.flows[current].before_expecting(tcp);
        let Some((at, seen)) = self.next_packet(current)? else {
            return Err(format!("no packet came\nscript packet: {} {packet}", seconds(from)));
        };
        let flow = &mut self.flows[current];
        flow.learn(tcp, &seen);
        let actual = flow.scripted(tcp, &seen.tcp);
        let before = self.before.map(|b| b.at);
        let checked = self
            .tolerance
            .packet(packet, tcp, &seen, &actual, from)
            .and_then(|()| self.tolerance.time(kind, (from, to), at, before, "outbound packet"));
        checked.map_err(|what| {
            let (wanted, actual) = (Line(from, packet), Line(at, &shown(&seen, actual)));
            format!("error handling packet: {what}\nscript packet: {wanted}\nactual packet: {actual}")
        })?;
        self.checked += 1;
        Ok(())
    }

    /// The next packet of the connection under test; time runs until it comes.
    fn next_packet(&mut self, current: usize) -> Result<Option<(Micros, Seen)>, String> {
        let until = self.now() + PATIENCE;
        loop {
            while let Some(found) = self.arrived.pop_front() {
                if self.flows[current].sent(&found.1) {
                    return Ok(Some(found));
                }
            }
            if self.now() >= until {
                return Ok(None);
            }
            self.step(until)?;
        }
    }

    fn call(&mut self, call: &Call, event: &Event, from: Micros) -> Result<(), String> {
        if self.pending.is_some() && call.end.is_some() {
            return Err(
                "blocking system call while another blocking system call is already in progress".into()
            );
        }
        let in_call = |what: String| format!("runtime error in {} call: {what}", call.name);
        self.before_call(call).map_err(in_call)?;
        let until = match (call.end, event.time) {
            (None, _) => from,
            // A relative end counts from the same point as the start.
            (Some(end), Time::Relative(after)) => from - after + end,
            (Some(end), _) => end,
        };
        match self.calls.begin(call).map_err(in_call)? {
            Progress::Done => self.after_call(call, event.line, event.time, (from, until)),
            Progress::Blocks if call.end.is_none() => {
                Err(in_call("it blocks, but the script does not say so".into()))
            }
            Progress::Blocks => {
                self.pending =
                    Some(Pending { call: call.clone(), line: event.line, time: event.time, from, until });
                self.collect()
            }
        }
    }

    /// What a connect does to the connection under test, before anything is sent.
    fn before_call(&mut self, call: &Call) -> Result<(), String> {
        if call.name != "connect" {
            return Ok(());
        }
        let remote = Endpoint { ip: self.settings.remote_ip, port: self.settings.connect_port };
        let fd = self.calls.descriptor(call, 0)?;
        if let Some(flow) = self.flows.iter_mut().rev().find(|f| f.fd == Some(fd) && f.phase == Phase::New) {
            flow.phase = Phase::Connecting;
            flow.remote = Some(remote);
        }
        Ok(())
    }

    /// The call returned: were its result, its error and its time as expected?
    fn after_call(
        &mut self,
        call: &Call,
        line: u32,
        kind: Time,
        (from, until): (Micros, Micros),
    ) -> Result<(), String> {
        let in_call = |what: String| format!("runtime error in {} call: {what}", call.name);
        let returned = self.calls.finish(call).map_err(in_call)?;
        self.collect()?;
        if call.end.is_some() {
            let what = format!("system call return (line {line})");
            self.tolerance.time(kind, (until, until), self.now(), Some(from), &what)?;
        }
        match call.name.as_str() {
            "socket" if returned >= 0 => {
                self.add(Flow::new(Some(returned)));
            }
            "listen" if returned >= 0 => {
                let fd = self.calls.descriptor(call, 0).map_err(in_call)?;
                if let Some(flow) = self.flows.iter_mut().rev().find(|f| f.fd == Some(fd)) {
                    flow.phase = Phase::Listening;
                }
            }
            "accept" if returned >= 0 => self.accepted(returned).map_err(in_call)?,
            "socket" | "listen" | "accept" | "bind" | "setsockopt" | "fcntl" if returned >= 0 => {}
            _ => self.checked += 1,
        }
        Ok(())
    }

    /// Gives the newest connection that completed its handshake the descriptor `fd`.
    fn accepted(&mut self, fd: i64) -> Result<(), String> {
        let peer = self.calls.accepted.take();
        let ready = |f: &&mut Flow| matches!(f.phase, Phase::SynAckSent | Phase::SynAckAcked);
        let flow =
            self.flows.iter_mut().rev().find(ready).ok_or("unable to find socket matching accept() call")?;
        if peer != flow.remote {
            return Err(format!("accept() gave a connection with {peer:?}, not with {:?}", flow.remote));
        }
        flow.fd = Some(fd);
        self.checked += 1;
        Ok(())
    }

    fn poll_pending(&mut self) -> Result<(), String> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        match self.calls.again() {
            Progress::Blocks => self.pending = Some(pending),
            Progress::Done => {
                self.after_call(&pending.call, pending.line, pending.time, (pending.from, pending.until))?;
            }
        }
        Ok(())
    }

    /// A call that blocks must have returned soon after its time.
    fn settle_pending(&mut self) -> Result<(), String> {
        let Some(pending) = &self.pending else { return Ok(()) };
        let (line, name, until) =
            (pending.line, pending.call.name.clone(), pending.until + self.tolerance.micros);
        while self.pending.is_some() && self.now() < until {
            self.step(until)?;
        }
        match self.pending {
            Some(_) => Err(format!(
                "the {name} call of line {line} is still blocking at {} sec",
                seconds(self.now())
            )),
            None => Ok(()),
        }
    }

    fn assert(&mut self, code: &str) -> Result<(), String> {
        let fd = self.current.and_then(|at| self.flows[at].fd).ok_or("no socket to use for code")?;
        let info = self.calls.tcp_info(fd, assertion::INFO_LEN)?;
        self.checked += assertion::check(code, &info)?;
        Ok(())
    }

    /// No call may be left over, and no packet that the script did not expect.
    fn finish(&mut self) -> Result<(), String> {
        let until = self.now() + self.tolerance.micros;
        while self.now() < until {
            self.step(until)?;
        }
        if let Some(pending) = &self.pending {
            return Err(format!(
                "exiting while the {} call of line {} is in progress",
                pending.call.name, pending.line
            ));
        }
        let Some(current) = self.current else { return Ok(()) };
        let surplus =
            std::mem::take(&mut self.arrived).into_iter().find(|(_, seen)| self.flows[current].sent(seen));
        match surplus {
            None => Ok(()),
            Some((at, seen)) => {
                let tcp = self.flows[current].scripted(&Tcp::default(), &seen.tcp);
                Err(format!(
                    "a packet that the script does not expect\nactual packet: {}",
                    Line(at, &shown(&seen, tcp))
                ))
            }
        }
    }
}

/// What was seen, as a script would write it.
fn shown(seen: &Seen, tcp: Tcp) -> Packet {
    let tos = match seen.tos {
        0 => super::packet::Tos::Any,
        bits @ 1..=3 => super::packet::Tos::Ecn(bits),
        whole => super::packet::Tos::Whole(whole),
    };
    Packet { tos, ttl: None, body: Body::Tcp(tcp) }
}

/// A packet with its time.
struct Line<'a>(Micros, &'a Packet);

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", seconds(self.0), self.1)
    }
}
