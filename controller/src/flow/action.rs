//! What a switch does with a packet.

use std::net::Ipv4Addr;

use ferroflow_wire::MacAddr;

use super::PortNo;

/// One action. Names are those of OpenFlow 1.3; what it means in 1.0 is said where it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send out of a port.
    Output(PortNo),
    /// Send to the controller, at most so many bytes (0xffff = all, unbuffered).
    ToController(u16),
    /// Through a group. 1.0 has none.
    Group(u32),
    /// Choose the queue of the outputs that follow. 1.0 has none (its enqueue names a port too).
    SetQueue(u32),
    /// Add an 802.1Q tag with this VLAN. 1.0: `SET_VLAN_VID`, which adds a tag only where there is none.
    PushVlan(u16),
    /// Change the VLAN of a tagged packet. 1.0: `SET_VLAN_VID`.
    SetVlan(u16),
    /// Change the priority of a tagged packet, 0 to 7.
    SetVlanPcp(u8),
    /// Take the outermost tag off.
    PopVlan,
    /// Change the source MAC address.
    SetEthSrc(MacAddr),
    /// Change the destination MAC address.
    SetEthDst(MacAddr),
    /// Change the IPv4 source address.
    SetIpv4Src(Ipv4Addr),
    /// Change the IPv4 destination address.
    SetIpv4Dst(Ipv4Addr),
}

/// How many actions an [`Actions`] holds without memory of its own.
const INLINE: usize = 4;

/// A list of actions in the order they are applied; empty = drop. Up to four live in the list itself.
#[derive(Debug, Clone)]
pub struct Actions {
    inline: [Action; INLINE],
    len: usize,
    /// All of them, once there are more than [`INLINE`].
    spilled: Vec<Action>,
}

impl Actions {
    /// No action: the packet is dropped.
    #[inline]
    pub const fn drop() -> Actions {
        Actions { inline: [Action::PopVlan; INLINE], len: 0, spilled: Vec::new() }
    }

    /// One output.
    #[inline]
    pub const fn output(port: PortNo) -> Actions {
        let mut actions = Actions::drop();
        actions.inline[0] = Action::Output(port);
        actions.len = 1;
        actions
    }

    /// Appends an action.
    #[inline]
    pub fn push(&mut self, action: Action) {
        if self.len < INLINE {
            self.inline[self.len] = action;
            self.len += 1;
            return;
        }
        if self.spilled.is_empty() {
            self.spilled.extend_from_slice(&self.inline);
        }
        self.spilled.push(action);
    }

    /// The actions in order.
    #[inline]
    pub fn as_slice(&self) -> &[Action] {
        if self.spilled.is_empty() { &self.inline[..self.len] } else { &self.spilled }
    }

    /// Whether one of them sends out of `port`.
    pub fn outputs_to(&self, port: PortNo) -> bool {
        self.as_slice().contains(&Action::Output(port))
    }
}

impl Default for Actions {
    fn default() -> Actions {
        Actions::drop()
    }
}

impl PartialEq for Actions {
    fn eq(&self, other: &Actions) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Actions {}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Actions {
        let mut list = Actions::drop();
        actions.into_iter().for_each(|a| list.push(a));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_when_it_outgrows_itself() {
        let all: Vec<_> = (0..9).map(|n| Action::Output(PortNo(n))).collect();
        for n in 0..all.len() {
            let list: Actions = all[..n].iter().copied().collect();
            assert_eq!(list.as_slice(), &all[..n]);
        }
    }
}
