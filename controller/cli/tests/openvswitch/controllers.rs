//! The controllers that the scenarios run with.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use cbench::lab::{ControlNet, Error, Mark, Proc, Result, wait_until};

/// How to start a controller that listens on [`ControlNet::CONTROLLER`], and what may be expected of it.
pub trait Controller {
    /// The network it wants.
    fn network(&self) -> Result<ControlNet>;
    /// Starts it in that network's namespace.
    fn spawn(&self, net: &ControlNet) -> Result<Proc>;
    /// The core on which it last said that a datapath came up, after `since`; `None` for a controller that says nothing
    /// of cores.
    fn core_of(&self, process: &Proc, since: Mark, datapath_id: u64) -> Option<Result<u32>>;
    /// It installs flows.
    fn installs_flows(&self) -> bool;
    /// It removes flows towards a host that has moved.
    fn follows_moves(&self) -> bool;
    /// It installs the table-miss flow again when somebody deletes all flows.
    fn restores_table_miss(&self) -> bool;
    /// What it says when hosts seem to be everywhere at once.
    fn names_loops(&self) -> Option<&'static str>;
    /// Whether it ends with status 0 on SIGTERM.
    fn ends_with_success(&self) -> bool;
}

/// Starts the controller and waits until it accepts connections.
pub fn start(controller: &impl Controller, net: &ControlNet) -> Result<Proc> {
    let mut process = controller.spawn(net)?;
    let address = SocketAddr::from((ControlNet::CONTROLLER, 6653));
    let ready = wait_until("the controller to listen", Duration::from_secs(20), || {
        if !process.is_running() {
            return Err(Error::Unexpected(format!("the controller ended at once:\n{}", process.tail(40))));
        }
        net.netns().enter(|| TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok())
    });
    match ready {
        Ok(_) => Ok(process),
        Err(e) => Err(Error::Unexpected(format!("{e}\n{}", process.tail(40)))),
    }
}

/// Where Ferroflow's packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    Tap,
    Kernel,
    /// The own stack for the first Open vSwitch, the kernel's sockets for others.
    Shared,
}

/// `ferroflow run` with the learning switch.
#[derive(Debug)]
pub struct Ferroflow {
    pub port: Port,
}

impl Controller for Ferroflow {
    fn network(&self) -> Result<ControlNet> {
        match self.port {
            Port::Tap => ControlNet::for_tap(),
            Port::Kernel => ControlNet::for_kernel(),
            Port::Shared => ControlNet::for_shared(),
        }
    }

    fn spawn(&self, net: &ControlNet) -> Result<Proc> {
        let (address, host) =
            (format!("{}/24", ControlNet::CONTROLLER), format!("{}/24", ControlNet::TAP_HOST));
        let mut args = vec!["run", "--cores", "2", "--listen", "6653", "--app", "learning-switch", "--port"];
        let shared = format!("xdp:{},shared", ControlNet::SHARED);
        match self.port {
            Port::Shared => args.push(&shared),
            Port::Tap => args.extend(["tap:ff0", "--address", &address, "--host-address", &host]),
            Port::Kernel => args.push("kernel"),
        }
        net.netns().spawn(env!("CARGO_BIN_EXE_ferroflow"), &args)
    }

    fn core_of(&self, process: &Proc, since: Mark, datapath_id: u64) -> Option<Result<u32>> {
        let is_up = |line: &str| line.contains("datapath up") && dpid_field(line) == Some(datapath_id);
        let first =
            process.wait_for(since, &format!("datapath {datapath_id:#x} up"), Duration::from_secs(20), is_up);
        Some(first.and_then(|first| {
            let last = process.lines_after(since).into_iter().rfind(|l| is_up(&l.text)).unwrap_or(first).text;
            let core = field(&last, "core").and_then(|c| c.parse().ok());
            core.ok_or_else(|| Error::Unexpected(format!("no core=N in {last:?}")))
        }))
    }

    fn installs_flows(&self) -> bool {
        true
    }

    fn follows_moves(&self) -> bool {
        true
    }

    fn restores_table_miss(&self) -> bool {
        true
    }

    fn names_loops(&self) -> Option<&'static str> {
        Some("suspected loop")
    }

    fn ends_with_success(&self) -> bool {
        true
    }
}

/// `name=value` in a log line.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

fn dpid_field(line: &str) -> Option<u64> {
    let value = field(line, "dpid")?;
    u64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).ok()
}

/// Open vSwitch's own test controller.
#[derive(Debug)]
pub struct TestController {
    pub flows: bool,
}

impl Controller for TestController {
    fn network(&self) -> Result<ControlNet> {
        ControlNet::for_kernel()
    }

    fn spawn(&self, net: &ControlNet) -> Result<Proc> {
        // The frames that Open vSwitch 3.1 has dropped while it had no OpenFlow 1.0 controller, it goes on dropping when
        // it has one, until none comes for 10 s: only a change of its flow table makes its datapath think again. So
        // change it, by a flow that matters to nobody.
        let nudge = concat!("--with-flows=", env!("CARGO_MANIFEST_DIR"), "/tests/openvswitch/nudge.flows");
        let mut args = vec!["ptcp:6653", "--unixctl=none", "-vsyslog:off", nudge];
        if !self.flows {
            args.push("--noflow");
        }
        net.netns().spawn("ovs-testcontroller", &args)
    }

    fn core_of(&self, _: &Proc, _: Mark, _: u64) -> Option<Result<u32>> {
        None
    }

    fn installs_flows(&self) -> bool {
        self.flows
    }

    fn follows_moves(&self) -> bool {
        !self.flows
    }

    fn restores_table_miss(&self) -> bool {
        false
    }

    fn names_loops(&self) -> Option<&'static str> {
        None
    }

    fn ends_with_success(&self) -> bool {
        false
    }
}
