//! An app that writes down what it is told and does what the test says.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ferroflow::testing::Lab;
use ferroflow::*;

/// What happened, in order, over all cores.
pub type Log = Arc<Mutex<Vec<String>>>;

/// Something to do with the datapath at the next packet_in.
pub type Act = Box<dyn FnMut(&mut Dp<'_>, &PacketIn<'_>) + Send>;

/// The app.
pub struct Probe {
    pub name: &'static str,
    pub core: usize,
    pub log: Log,
    pub on_packet: Act,
    pub on_tick: Box<dyn FnMut(&mut Cx<'_>) + Send>,
    pub next: Next,
}

impl Probe {
    pub fn new(name: &'static str, core: usize, log: &Log) -> Probe {
        Probe {
            name,
            core,
            log: log.clone(),
            on_packet: Box::new(|_, _| {}),
            on_tick: Box::new(|_| {}),
            next: Next::Continue,
        }
    }

    fn say(&self, what: String) {
        self.log.lock().unwrap().push(format!("{}@{} {what}", self.name, self.core));
    }
}

impl App for Probe {
    fn datapath_up(&mut self, dp: &mut Dp<'_>) {
        self.say(format!("up {} ports {}", dp.id().0, dp.ports().len()));
    }
    fn datapath_down(&mut self, dp: &mut Dp<'_>) {
        self.say(format!("down {} {}", dp.id().0, dp.is_up()));
    }
    fn ports(&mut self, dp: &mut Dp<'_>) {
        self.say(format!("ports {}", dp.ports().len()));
    }
    fn packet_in(&mut self, dp: &mut Dp<'_>, p: &PacketIn<'_>) -> Next {
        self.say(format!("packet {}", p.in_port()));
        (self.on_packet)(dp, p);
        self.next
    }
    fn flow_removed(&mut self, _: &mut Dp<'_>, r: &FlowRemoved) {
        self.say(format!("removed {} {:?} cookie {}", r.priority, r.reason, r.cookie));
    }
    fn port_status(&mut self, dp: &mut Dp<'_>, s: &PortStatus) {
        self.say(format!(
            "port {} {:?} down {} of {}",
            s.port.number,
            s.change,
            s.is_down(),
            dp.ports().len()
        ));
    }
    fn done(&mut self, dp: &mut Dp<'_>, t: Token, r: Result<Reply<'_>, Failed>) {
        let what = match r {
            Ok(Reply::Done) => "done".to_string(),
            Ok(Reply::Description(d)) => format!("by {}", d.manufacturer),
            Ok(Reply::Ports(p)) => format!("{} port stats", p.len()),
            Err(Failed::Error { name, flow, .. }) => {
                format!("failed {name} flow {:?}", flow.map(|f| (f.priority, f.cookie)))
            }
            Err(why) => format!("failed: {why}"),
        };
        self.say(format!("token {} of {}: {what}", t.0, dp.id().0));
    }
    fn event(&mut self, _: &mut Dp<'_>, e: &Event) {
        self.say(match e {
            Event::FlowRefused { flow, why } => format!("flow {} refused: {why}", flow.priority),
            Event::Refused { what, why } => format!("{what} refused: {why}"),
            Event::Error { name, flow, .. } => {
                format!(
                    "error {name} flow {:?}",
                    flow.as_ref().map(|f| (f.priority, f.cookie, f.matching.is_some()))
                )
            }
        });
    }
    fn tick(&mut self, cx: &mut Cx<'_>) {
        (self.on_tick)(cx);
    }
}

/// One core with one probe that does `act` at each packet_in.
pub fn lab_with(
    config: Config,
    act: impl FnMut(&mut Dp<'_>, &PacketIn<'_>) + Send + Clone + Sync + 'static,
) -> (Lab, Log) {
    let log = Log::default();
    let inner = log.clone();
    let builder = Controller::builder().config(config).app("probe", move |core| Probe {
        on_packet: Box::new(act.clone()),
        ..Probe::new("probe", core, &inner)
    });
    (Lab::new(builder.build_cores(1).unwrap()), log)
}

/// `cores` cores with one probe that does nothing.
pub fn quiet_lab(config: Config, cores: usize) -> (Lab, Log) {
    let log = Log::default();
    let inner = log.clone();
    let builder =
        Controller::builder().config(config).app("probe", move |core| Probe::new("probe", core, &inner));
    (Lab::new(builder.build_cores(cores).unwrap()), log)
}

/// Takes what was written down.
pub fn said(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// A frame of 64 bytes between two hosts.
pub fn frame(dst: u64, src: u64) -> Vec<u8> {
    let mut f = vec![0; 64];
    f[..6].copy_from_slice(&dst.to_be_bytes()[2..]);
    f[6..12].copy_from_slice(&src.to_be_bytes()[2..]);
    f[12] = 8;
    f
}

/// The same, tagged.
pub fn tagged(dst: u64, src: u64, vid: u16) -> Vec<u8> {
    let mut f = frame(dst, src);
    f.splice(12..12, [0x81, 0, (vid >> 8) as u8, vid as u8]);
    f
}

/// Seeds that a randomised test tries; `FERROFLOW_SEED` replays one.
pub fn seeds(n: u64) -> VecDeque<u64> {
    match std::env::var("FERROFLOW_SEED").ok().and_then(|s| s.parse().ok()) {
        Some(seed) => [seed].into(),
        None => (0..n).collect(),
    }
}
