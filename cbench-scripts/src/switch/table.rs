//! A flow table: what an emulated switch does with a packet, whichever version of OpenFlow said so.

use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_wire::ethernet::EthernetView;

/// Reserved switch ports, by their 32-bit numbers (OF 1.3.5 7.2.1); 1.0's differ in the leading bits only.
pub mod port {
    /// Numbers from here on are reserved.
    pub const MAX: u32 = 0xffff_ff00;
    /// Back out of the port it came in on.
    pub const IN_PORT: u32 = 0xffff_fff8;
    /// Through the flow table.
    pub const TABLE: u32 = 0xffff_fff9;
    /// All ports but the one it came in on.
    pub const FLOOD: u32 = 0xffff_fffb;
    /// All ports but the one it came in on.
    pub const ALL: u32 = 0xffff_fffc;
    /// To the controller.
    pub const CONTROLLER: u32 = 0xffff_fffd;
    /// Any port, or none.
    pub const ANY: u32 = 0xffff_ffff;
}

/// `OFPVID_PRESENT`: set in [`Key::vlan`] when there is a tag.
pub const VLAN_PRESENT: u16 = 0x1000;

/// What a packet is matched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The port it came in on.
    pub in_port: u32,
    /// Ethernet source.
    pub eth_src: [u8; 6],
    /// Ethernet destination.
    pub eth_dst: [u8; 6],
    /// The VLAN id and [`VLAN_PRESENT`], or 0 without a tag.
    pub vlan: u16,
    /// The type behind the tag.
    pub eth_type: u16,
}

impl Key {
    /// The key of a frame; `None` when it is no Ethernet frame.
    pub fn of(in_port: u32, frame: &[u8]) -> Option<Key> {
        let eth = EthernetView::parse(frame).ok()?;
        Some(Key {
            in_port,
            eth_src: eth.src().0,
            eth_dst: eth.dst().0,
            vlan: eth.vlan().map_or(0, |t| t.vid | VLAN_PRESENT),
            eth_type: eth.ethertype().0,
        })
    }
}

/// Which packets a flow is for. A field that is `None` matches anything; masked fields are value and mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowMatch {
    /// Input port.
    pub in_port: Option<u32>,
    /// Ethernet source.
    pub eth_src: Option<([u8; 6], [u8; 6])>,
    /// Ethernet destination.
    pub eth_dst: Option<([u8; 6], [u8; 6])>,
    /// VLAN, as in [`Key::vlan`].
    pub vlan: Option<(u16, u16)>,
    /// Ethernet type.
    pub eth_type: Option<u16>,
}

fn masked(a: [u8; 6], mask: [u8; 6]) -> [u8; 6] {
    std::array::from_fn(|i| a[i] & mask[i])
}

/// Whether everything that `b` matches is matched by `a`.
fn mac_covers(a: Option<([u8; 6], [u8; 6])>, b: Option<([u8; 6], [u8; 6])>) -> bool {
    match (a, b) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((a, am)), Some((b, bm))) => masked(bm, am) == am && masked(b, am) == masked(a, am),
    }
}

impl FlowMatch {
    /// Whether the packet is one of them.
    pub fn matches(&self, key: &Key) -> bool {
        let mac = |field: Option<([u8; 6], [u8; 6])>, v: [u8; 6]| {
            field.is_none_or(|(want, mask)| masked(v, mask) == masked(want, mask))
        };
        self.in_port.is_none_or(|p| p == key.in_port)
            && self.eth_type.is_none_or(|t| t == key.eth_type)
            && self.vlan.is_none_or(|(v, m)| key.vlan & m == v & m)
            && mac(self.eth_src, key.eth_src)
            && mac(self.eth_dst, key.eth_dst)
    }

    /// Whether everything that `other` matches is matched by `self`: what a non-strict command acts on
    /// (OF 1.3.5 6.4).
    pub fn covers(&self, other: &FlowMatch) -> bool {
        let exact = |a: Option<u32>, b: Option<u32>| a.is_none() || a == b;
        let vlan = match (self.vlan, other.vlan) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((a, am)), Some((b, bm))) => bm & am == am && b & am == a & am,
        };
        exact(self.in_port, other.in_port)
            && exact(self.eth_type.map(u32::from), other.eth_type.map(u32::from))
            && vlan
            && mac_covers(self.eth_src, other.eth_src)
            && mac_covers(self.eth_dst, other.eth_dst)
    }
}

/// What is done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// A switch port or one of [`port`].
    pub port: u32,
    /// With [`port::CONTROLLER`], most bytes to send.
    pub max_len: u16,
}

/// One flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Which packets.
    pub matching: FlowMatch,
    /// The highest wins.
    pub priority: u16,
    /// The controller's own mark.
    pub cookie: u64,
    /// Seconds without a packet after which it goes; 0 = never.
    pub idle_timeout: u16,
    /// Seconds after which it goes; 0 = never.
    pub hard_timeout: u16,
    /// Whether the controller wants to hear when it goes.
    pub notify: bool,
    /// What is done; nothing = the packet is dropped.
    pub outputs: Vec<Output>,
    /// Since when.
    pub installed: Instant,
    /// Its last packet.
    pub used: Instant,
    /// Packets so far.
    pub packets: u64,
    /// Bytes so far.
    pub bytes: u64,
}

impl Flow {
    fn expires(&self) -> Option<(Instant, Gone)> {
        let after = |from: Instant, s: u16| from + Duration::from_secs(s.into());
        let idle = (self.idle_timeout > 0).then(|| (after(self.used, self.idle_timeout), Gone::Idle));
        let hard = (self.hard_timeout > 0).then(|| (after(self.installed, self.hard_timeout), Gone::Hard));
        match (idle, hard) {
            (Some(i), Some(h)) => Some(if h.0 <= i.0 { h } else { i }),
            (i, h) => i.or(h),
        }
    }
}

/// Why a flow went (`ofp_flow_removed_reason`, OF 1.3.5 7.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// No packet for its idle time-out.
    Idle = 0,
    /// Its hard time-out has passed.
    Hard = 1,
    /// The controller deleted it.
    Deleted = 2,
}

/// Which flows a delete or modify is about.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// The match given.
    pub matching: FlowMatch,
    /// The priority given, if the command is strict.
    pub strict_priority: Option<u16>,
    /// Only flows with an output to this port; [`port::ANY`] = no restriction.
    pub out_port: u32,
    /// Only flows whose cookie equals this in the bits of the mask.
    pub cookie: u64,
    /// See [`Selection::cookie`]; 0 = no restriction.
    pub cookie_mask: u64,
}

impl Selection {
    fn selects(&self, f: &Flow) -> bool {
        let fits = match self.strict_priority {
            Some(p) => f.priority == p && f.matching == self.matching,
            None => self.matching.covers(&f.matching),
        };
        fits && f.cookie & self.cookie_mask == self.cookie & self.cookie_mask
            && (self.out_port == port::ANY || f.outputs.iter().any(|o| o.port == self.out_port))
    }
}

/// The table has no room for another flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the flow table is full")]
pub struct TableFull;

/// Flows, the highest priority first.
#[derive(Debug, Default)]
pub struct FlowTable {
    flows: Vec<Flow>,
    max: usize,
}

impl FlowTable {
    /// An empty table for up to `max` flows.
    pub fn new(max: usize) -> FlowTable {
        FlowTable { flows: Vec::new(), max }
    }

    /// The flows, the highest priority first.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// Adds a flow; one with the same match and priority is replaced without a word (OF 1.3.5 6.4).
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn add(&mut self, flow: Flow) -> Result<(), TableFull> {
        if let Some(old) =
            self.flows.iter_mut().find(|f| f.priority == flow.priority && f.matching == flow.matching)
        {
            *old = flow;
            return Ok(());
        }
        if self.flows.len() >= self.max {
            return Err(TableFull);
        }
        let at = self.flows.partition_point(|f| f.priority >= flow.priority);
        self.flows.insert(at, flow);
        Ok(())
    }

    /// Gives the selected flows other outputs; returns how many they were.
    pub fn modify(&mut self, select: &Selection, outputs: &[Output]) -> usize {
        let mut n = 0;
        for f in self.flows.iter_mut().filter(|f| select.selects(f)) {
            f.outputs = outputs.to_vec();
            n += 1;
        }
        n
    }

    /// Removes and returns the selected flows.
    pub fn delete(&mut self, select: &Selection) -> Vec<Flow> {
        self.flows.extract_if(.., |f| select.selects(f)).collect()
    }

    /// The flow that a packet of `len` bytes belongs to; it is counted there.
    pub fn lookup(&mut self, key: &Key, len: usize, now: Instant) -> Option<&Flow> {
        let flow = self.flows.iter_mut().find(|f| f.matching.matches(key))?;
        flow.packets += 1;
        flow.bytes += len as u64;
        flow.used = now;
        Some(flow)
    }

    /// Removes and returns the flows whose time is over.
    pub fn expire(&mut self, now: Instant) -> Vec<(Flow, Gone)> {
        let due = |f: &Flow| f.expires().filter(|(at, _)| *at <= now);
        let gone = self.flows.extract_if(.., |f| due(f).is_some());
        gone.filter_map(|f| due(&f).map(|(_, why)| (f, why))).collect()
    }

    /// When the next flow's time is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.flows.iter().filter_map(|f| f.expires().map(|(at, _)| at)).min()
    }
}

#[cfg(test)]
mod tests;
