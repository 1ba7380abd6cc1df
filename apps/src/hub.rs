//! A hub: every packet goes out of every port but the one it came in.
//!
//! This is the smallest useful app. It keeps no state and installs no flow, so every packet of the network comes
//! through the controller. The network must be free of loops: a hub sends a packet round a loop for ever.

use ferroflow::{App, Dp, Next, PacketIn};

/// The app. One of it runs on every core, called with what happens on that core's switches.
#[derive(Debug, Default, Clone, Copy)]
pub struct Hub;

impl App for Hub {
    fn packet_in(&mut self, dp: &mut Dp<'_>, packet: &PacketIn<'_>) -> Next {
        // The frame is still where the network card put it. What has no Ethernet header is nothing for us.
        let Ok(eth) = packet.ethernet() else { return Next::Continue };
        // 01:80:c2:00:00:0x is meant for the next bridge alone (LLDP, spanning tree) and never sent on.
        if eth.dst().is_link_local() {
            return Next::Continue;
        }
        // One packet_out: it names the switch's buffer, or carries the frame where the switch kept none.
        dp.flood(packet);
        // Apps behind us in the chain do not see this packet.
        Next::Stop
    }
}
