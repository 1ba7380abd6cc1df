//! From the hello to a datapath that apps can use.

use ferroflow_openflow::{ErrorMsg, Hello, OFP_NO_BUFFER, Version, negotiate, v13};
use ferroflow_stack::SendRing;

use super::{COOKIE_SHIFT, Datapath, End, Phase, SESSION_APP_ID, SESSION_SLOT};
use crate::app::{Dp, Refused};
use crate::codec::{FlowCommand, FlowMod};
use crate::core::{Chain, Shared};
use crate::flow::{Action, Match, PortNo};

/// Says hello, first thing (OF 1.3.5 6.3.1).
pub(crate) fn greet(dp: &mut Datapath, shared: &Shared, ring: &mut SendRing) {
    let xid = dp.next_xid(SESSION_SLOT);
    // A ring that has never been written has room.
    let _ = dp.out(ring).put(&Hello::offering(shared.config.versions, xid));
}

/// Their hello has come: agree on a version and ask who they are, at once.
pub(super) fn hello(
    dp: &mut Datapath,
    shared: &mut Shared,
    ring: &mut SendRing,
    msg: &[u8],
) -> Result<(), End> {
    let theirs = Hello::parse(msg).map_err(|_| End::Malformed)?;
    match negotiate(shared.config.versions, theirs.version, theirs.bitmap) {
        Ok(version) => {
            dp.version = version;
            dp.phase = Phase::Features;
            let xid = dp.next_xid(SESSION_SLOT);
            let _ = dp.out(ring).features_request(version, xid);
            Ok(())
        }
        Err(why) => {
            // OF 1.3.5 6.3.1: HELLO_FAILED with a text, then the end. In their version, so that they can read it.
            let text = why.to_string();
            let version = shared.config.versions.highest().unwrap_or(Version::V1_3).min(theirs.version);
            let version = if version.0 == 0 { Version::V1_0 } else { version };
            let _ = dp.out(ring).put(&ErrorMsg::hello_failed(version, theirs.xid, &text));
            tracing::warn!(peer = %dp.peer, core = shared.core, "{text}");
            Err(End::Incompatible)
        }
    }
}

/// The datapath is ours: configure the switch, then tell the apps.
pub(crate) fn up(dp: &mut Datapath, shared: &mut Shared, chain: &mut Chain, ring: &mut SendRing) {
    dp.phase = Phase::Ready;
    dp.timer_dirty = true;
    shared.counters.datapaths_up += 1;
    tracing::info!(
        dpid = %dp.id,
        core = shared.core,
        version = dp.version.dotted().unwrap_or("?"),
        peer = %dp.peer,
        "datapath up"
    );
    let _ = configure(dp, shared, ring);
    for slot in 0..chain.len() {
        chain.call(slot, shared, |app, shared| {
            app.datapath_up(&mut Dp::new(ring, dp, shared, slot));
        });
    }
    if dp.version == Version::V1_0 {
        ports_known(dp, shared, chain, ring);
    }
}

/// What a switch is told on every connection, whatever it was told before.
fn configure(dp: &mut Datapath, shared: &Shared, ring: &mut SendRing) -> Result<(), Refused> {
    whole_packets(dp, ring)?;
    let xid = dp.next_xid(SESSION_SLOT);
    dp.out(ring).port_desc_request(dp.version, xid)?;
    if dp.version == Version::V1_0 && shared.remember_v10 {
        // With several apps the owner of a flow from before cannot be told: all start from nothing.
        let xid = dp.next_xid(SESSION_SLOT);
        let all = FlowMod { command: FlowCommand::Delete, table: None, ..session_flow(xid, &[]) };
        dp.out(ring).flow_mod(dp.version, &all)?;
    }
    Ok(())
}

/// Asks for whole, unbuffered packets: miss_send_len 0xffff (OF 1.0 5.3.2), and from 1.3 on, where that is not enough,
/// a table-miss flow (OF 1.3.5 5.4).
pub(super) fn whole_packets(dp: &mut Datapath, ring: &mut SendRing) -> Result<(), Refused> {
    let xid = dp.next_xid(SESSION_SLOT);
    dp.out(ring).set_config(dp.version, xid)?;
    if dp.version != Version::V1_0 {
        let xid = dp.next_xid(SESSION_SLOT);
        let to_us = [Action::ToController(v13::OFPCML_NO_BUFFER)];
        dp.out(ring).flow_mod(dp.version, &session_flow(xid, &to_us))?;
    }
    Ok(())
}

/// The table-miss flow: priority 0, no match, and a word when it is removed.
fn session_flow(xid: u32, actions: &[Action]) -> FlowMod<'_> {
    FlowMod {
        xid,
        command: FlowCommand::Add,
        table: Some(0),
        priority: 0,
        cookie: u64::from(SESSION_APP_ID) << COOKIE_SHIFT,
        cookie_mask: 0,
        buffer: OFP_NO_BUFFER,
        out_port: PortNo::ANY,
        idle_timeout_s: 0,
        hard_timeout_s: 0,
        notify: true,
        matching: &Match::ALL,
        actions,
        goto_table: None,
    }
}

/// The list of ports is there.
pub(super) fn ports_known(dp: &mut Datapath, shared: &mut Shared, chain: &mut Chain, ring: &mut SendRing) {
    for slot in 0..chain.len() {
        chain.call(slot, shared, |app, shared| app.ports(&mut Dp::new(ring, dp, shared, slot)));
    }
}
