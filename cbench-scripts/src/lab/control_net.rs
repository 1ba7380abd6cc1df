//! The network between a controller and its switches.

use std::net::Ipv4Addr;

use super::{Netns, Ovs, Result, veth};

/// A namespace for a controller, to which any number of Open vSwitches connect at one address: over the kernel's own
/// stack, or over a TAP interface behind which the controller has a stack of its own.
///
/// All are in 10.77.0.0/24. The namespace forwards between its links and answers ARP for all of them, so that switches
/// and controller see each other as neighbours, whatever interface the controller makes and however often.
#[derive(Debug)]
pub struct ControlNet {
    netns: Netns,
    switches: u8,
    /// The first link has the controller's address, and complete checksums.
    shared: bool,
}

impl ControlNet {
    /// Where the controller listens.
    pub const CONTROLLER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
    /// The kernel's side of the controller's TAP interface.
    pub const TAP_HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

    /// The interface towards the first switch.
    pub const SHARED: &str = "sw1";

    /// For a controller with a stack of its own, that makes its TAP interface itself.
    ///
    /// # Errors
    /// When the namespace cannot be made.
    pub fn for_tap() -> Result<ControlNet> {
        let netns = Netns::new("ctl")?;
        netns.sysctl("net/ipv4/ip_forward", "1")?;
        for family in ["all", "default"] {
            netns.sysctl(&format!("net/ipv4/conf/{family}/proxy_arp"), "1")?;
        }
        Ok(ControlNet { netns, switches: 0, shared: false })
    }

    /// For a controller on kernel sockets.
    ///
    /// # Errors
    /// When the namespace cannot be made.
    pub fn for_kernel() -> Result<ControlNet> {
        let net = ControlNet::for_tap()?;
        net.netns.ip(&format!("addr add {}/32 dev lo", Self::CONTROLLER))?;
        Ok(net)
    }

    /// For a controller that shares the kernel's address on [`ControlNet::SHARED`], the link to the first switch.
    ///
    /// # Errors
    /// When the namespace cannot be made.
    pub fn for_shared() -> Result<ControlNet> {
        Ok(ControlNet { shared: true, ..ControlNet::for_tap()? })
    }

    /// The controller's namespace.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Links an Open vSwitch to the controller and answers the address that it has.
    ///
    /// # Errors
    /// When the link cannot be made.
    pub fn attach(&mut self, ovs: &Ovs) -> Result<Ipv4Addr> {
        self.switches += 1;
        let (address, name) = (Ipv4Addr::new(10, 77, 0, 9 + self.switches), format!("sw{}", self.switches));
        veth((&self.netns, &name), (ovs.netns(), "control"))?;
        ovs.netns().ip(&format!("addr add {address}/24 dev control"))?;
        // Else an answer for another is held back for up to 0.8 s, as it is on the controller's TAP interface.
        self.netns.sysctl(&format!("net/ipv4/neigh/{name}/proxy_delay"), "0")?;
        self.netns.ip(&format!("route add {address}/32 dev {name}"))?;
        if self.shared && name == Self::SHARED {
            self.netns.ip(&format!("addr add {}/24 dev {name}\nlink set lo up", Self::CONTROLLER))?;
            ovs.netns().run("ethtool", &["-K", "control", "tx", "off"])?;
        }
        Ok(address)
    }

    /// What [`Ovs::set_controller`] wants to hear.
    pub fn target() -> String {
        format!("tcp:{}:6653", Self::CONTROLLER)
    }
}
