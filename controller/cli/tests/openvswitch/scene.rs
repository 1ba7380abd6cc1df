//! The lab that one combination's scenarios share: a controller, two switches, and hosts as they are needed.

use std::time::Duration;

use cbench::lab::{ControlNet, Error, Host, Mark, OpenFlow, Ovs, Proc, Result};

use crate::controllers::{self, Controller};

/// The bridges, and with them their datapath ids.
pub const BRIDGES: [(&str, u64); 2] = [("s1", 0x51), ("s2", 0x52)];

pub struct Scene<C: Controller> {
    pub controller: C,
    pub version: OpenFlow,
    // Dropped in this order, so that nothing is left to log errors about what went before it.
    pub process: Proc,
    pub ovs: Ovs,
    /// Two hosts on each bridge, on switch ports 1 and 2.
    pub hosts: [[Host; 2]; 2],
    pub net: ControlNet,
    next_host: u8,
}

impl<C: Controller> Scene<C> {
    pub fn start(controller: C, version: OpenFlow) -> Result<Scene<C>> {
        let mut net = controller.network()?;
        let mut ovs = Ovs::start("ovs")?;
        net.attach(&ovs)?;
        let process = controllers::start(&controller, &net)?;
        for (bridge, datapath_id) in BRIDGES {
            ovs.add_bridge(bridge, datapath_id, version)?;
            ovs.set_controller(bridge, &ControlNet::target())?;
        }
        let hosts = [
            [host(&ovs, 1, "s1", 1)?, host(&ovs, 2, "s1", 2)?],
            [host(&ovs, 3, "s2", 1)?, host(&ovs, 4, "s2", 2)?],
        ];
        let scene = Scene { controller, version, process, ovs, hosts, net, next_host: 5 };
        wait_up(&scene.controller, &scene.process, Mark::default(), &scene.ovs, &BRIDGES)?;
        Ok(scene)
    }

    /// Two hosts that no switch has heard of, on a bridge of this scene or of another Open vSwitch. Their switch ports
    /// have the hosts' numbers.
    pub fn new_pair(&mut self, elsewhere: Option<[(&Ovs, &str); 2]>, bridge: &str) -> Result<[Host; 2]> {
        let (a, b) = (self.next_host, self.next_host + 1);
        self.next_host += 2;
        let [(ovs_a, bridge_a), (ovs_b, bridge_b)] = elsewhere.unwrap_or([(&self.ovs, bridge); 2]);
        Ok([host(ovs_a, a, bridge_a, a.into())?, host(ovs_b, b, bridge_b, b.into())?])
    }

    /// What controller and switch said last, for whoever reads of a failure.
    pub fn tell(&self) {
        eprintln!("The controller's log ends:\n{}", self.process.tail(60));
        eprintln!("The switch's log ends:\n{}", self.ovs.log_tail(30));
    }
}

impl<C: Controller> Drop for Scene<C> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
    }
}

/// Waits until the controller has taken bridges over. It says so at once, if it does; the switch only every 5 s.
pub fn wait_up(
    controller: &impl Controller,
    process: &Proc,
    since: Mark,
    ovs: &Ovs,
    bridges: &[(&str, u64)],
) -> Result<()> {
    for &(bridge, datapath_id) in bridges {
        match controller.core_of(process, since, datapath_id) {
            Some(core) => core.map(drop)?,
            None => ovs.wait_connected(bridge, Duration::from_secs(20)).map(drop)?,
        }
    }
    Ok(())
}

fn host(ovs: &Ovs, number: u8, bridge: &str, port_no: u16) -> Result<Host> {
    let mut host = Host::new(&format!("h{number}"), number)?;
    host.attach(ovs, bridge, port_no)?;
    Ok(host)
}

/// Every ping from each host to the other must be answered.
pub fn all_pings_answered([a, b]: &[Host; 2]) -> Result<()> {
    for (from, to) in [(a, b), (b, a)] {
        let ping = from.ping(to, 3)?;
        if ping.received != ping.sent {
            return Err(Error::Unexpected(format!("{} to {}: {ping:?}", from.address(), to.address())));
        }
    }
    Ok(())
}
