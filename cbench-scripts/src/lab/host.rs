//! Hosts on switch ports.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::command::run;
use super::{Error, Netns, Ovs, Result, veth};

/// How long a host that moves is nowhere.
const MOVE_TIME: Duration = Duration::from_millis(50);

/// A host: a namespace with one address on `eth0`, which is plugged into a switch port. It says nothing by itself.
#[derive(Debug)]
pub struct Host {
    netns: Netns,
    number: u8,
    active: &'static str,
    switch_ends: Vec<String>,
}

/// What a series of pings gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ping {
    /// Requests sent.
    pub sent: u32,
    /// Answers that came in time.
    pub received: u32,
    /// Mean round trip of those that came.
    pub mean: Duration,
    /// Longest round trip of those that came.
    pub max: Duration,
}

impl Host {
    /// Makes a host without a link. `number` (1 to 254) makes its address, 10.0.0.`number`/24, and its MAC address.
    ///
    /// # Errors
    /// When the namespace cannot be made.
    pub fn new(label: &str, number: u8) -> Result<Host> {
        let netns = Netns::new(label)?;
        // A link answers and asks for its own addresses only, or a second link would speak for the first.
        netns.sysctl("net/ipv4/conf/all/arp_ignore", "1")?;
        netns.sysctl("net/ipv4/conf/all/arp_announce", "2")?;
        Ok(Host { netns, number, active: "eth0", switch_ends: Vec::new() })
    }

    /// The host's namespace.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// The host's address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, self.number)
    }

    /// The host's MAC address, as text.
    pub fn mac(&self) -> String {
        format!("02:00:00:00:00:{:02x}", self.number)
    }

    /// The switch's end of the first link.
    pub fn switch_end(&self) -> &str {
        self.switch_ends.first().map_or("", String::as_str)
    }

    /// Links the host to switch port `port_no` of a bridge, as `eth0` with its address.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn attach(&mut self, ovs: &Ovs, bridge: &str, port_no: u16) -> Result<()> {
        self.link("eth0", &self.mac(), ovs)?;
        self.netns.ip(&format!("addr add {}/24 dev eth0", self.address()))?;
        ovs.add_port(bridge, self.switch_end(), port_no)
    }

    /// Links the host to a second switch port, as `eth1`: up, but without an address and with a MAC address of its own.
    /// [`Host::hop`] goes there.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn attach_spare(&mut self, ovs: &Ovs, bridge: &str, port_no: u16) -> Result<()> {
        self.link("eth1", &self.spare_mac(), ovs)?;
        let name = self.switch_ends.last().cloned().unwrap_or_default();
        ovs.add_port(bridge, &name, port_no)
    }

    /// Moves address and MAC address to the other of the two links within 50 ms, and says so with a gratuitous ARP, as a
    /// migrated virtual machine does; like one, the host remembers the MAC address of its `peer`. Both links stay up:
    /// the switch notices nothing but frames from another port.
    ///
    /// # Errors
    /// When there is no second link.
    pub fn hop(&mut self, peer: &Host) -> Result<()> {
        self.slip(peer)?;
        // With arp_notify the kernel sends the gratuitous ARP when the MAC address is set, be it to what it is.
        self.netns.sysctl(&format!("net/ipv4/conf/{}/arp_notify", self.active), "1")?;
        let (link, mac) = (self.active, self.mac());
        self.netns.ip(&format!("link set {link} address {mac}\n{}", known(peer, link)))?;
        self.netns.sysctl(&format!("net/ipv4/conf/{link}/arp_notify"), "0")
    }

    /// As [`Host::hop`], but without a word: the first that is heard from the new link is what the host has to say to
    /// `peer`.
    ///
    /// # Errors
    /// When there is no second link.
    pub fn slip(&mut self, peer: &Host) -> Result<()> {
        let (from, to) = if self.active == "eth0" { ("eth0", "eth1") } else { ("eth1", "eth0") };
        let (address, mac, spare) = (self.address(), self.mac(), self.spare_mac());
        self.netns.ip(&format!("addr del {address}/24 dev {from}\nlink set {from} address {spare}"))?;
        // What is still under way from the old link must not be heard after the first from the new one.
        std::thread::sleep(MOVE_TIME);
        // With its address goes all that a link knows of its neighbours.
        let known = known(peer, to);
        self.netns.ip(&format!("link set {to} address {mac}\n{known}\naddr add {address}/24 dev {to}"))?;
        self.active = to;
        Ok(())
    }

    /// Pings another host `count` times, 100 ms apart, and waits 1 s for the last answer.
    ///
    /// # Errors
    /// When `ping` cannot be run or understood. Unanswered pings are not an error.
    pub fn ping(&self, other: &Host, count: u32) -> Result<Ping> {
        let (count, to) = (count.to_string(), other.address().to_string());
        let mut command = self.netns.command("ping");
        command.env("LC_ALL", "C").args(["-n", "-q", "-c", &count, "-i", "0.1", "-W", "1", &to]);
        let timeout = Duration::from_secs(10) + Duration::from_millis(1100) * count.parse().unwrap_or(1);
        let output = run(&mut command, "", timeout)?;
        parse_ping(&output.stdout).ok_or_else(|| {
            Error::Unexpected(format!("`{}` said {:?}", output.command, output.stdout + &output.stderr))
        })
    }

    fn spare_mac(&self) -> String {
        format!("02:00:00:00:01:{:02x}", self.number)
    }

    fn link(&mut self, name: &str, mac: &str, ovs: &Ovs) -> Result<()> {
        let switch_end = format!("h{}{name}", self.number);
        veth((&self.netns, name), (ovs.netns(), &switch_end))?;
        self.netns.ip(&format!("link set {name} address {mac}"))?;
        // Open vSwitch's userspace datapath does not complete the checksums that veth leaves to the hardware.
        self.netns.run("ethtool", &["-K", name, "tx", "off"])?;
        self.switch_ends.push(switch_end);
        Ok(())
    }
}

/// The line for `ip` that makes a link remember a neighbour.
fn known(peer: &Host, link: &str) -> String {
    format!("neigh replace {} lladdr {} nud permanent dev {link}", peer.address(), peer.mac())
}

/// Reads the summary of iputils' ping:
/// `3 packets transmitted, 3 received, 0% packet loss, time 201ms` and `rtt min/avg/max/mdev = 0.1/0.2/0.3/0.0 ms`.
pub(super) fn parse_ping(text: &str) -> Option<Ping> {
    let counts = text.lines().find(|l| l.contains("packets transmitted"))?;
    let mut counts = counts.split(',').map(|part| part.split_ascii_whitespace().next().unwrap_or_default());
    let (sent, received) = (counts.next()?.parse().ok()?, counts.next()?.parse().ok()?);
    let mut ping = Ping { sent, received, mean: Duration::ZERO, max: Duration::ZERO };
    if let Some(times) = text.lines().find(|l| l.starts_with("rtt ")) {
        let mut times = times.split(" = ").nth(1)?.split('/').skip(1);
        ping.mean = milliseconds(times.next()?)?;
        ping.max = milliseconds(times.next()?)?;
    }
    Some(ping)
}

fn milliseconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? / 1e3).ok()
}
