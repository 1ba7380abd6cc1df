//! What simulated frames say: for a person to read, and for the simulator to check.

use std::fmt::Write;

use ferroflow_wire::WireError;
use ferroflow_wire::arp::{ArpOperation, ArpView};
use ferroflow_wire::ethernet::{EtherType, EthernetView};
use ferroflow_wire::icmpv4::Icmpv4View;
use ferroflow_wire::ipv4::{IpProtocol, Ipv4View};
use ferroflow_wire::tcp::{TcpFlags, TcpView};

/// One line about a frame: addresses, flags, sequence numbers.
pub fn line(frame: &[u8]) -> String {
    describe(frame).unwrap_or_else(|error| format!("malformed ({error}), {} bytes", frame.len()))
}

fn describe(frame: &[u8]) -> Result<String, WireError> {
    let eth = EthernetView::parse(frame)?;
    match eth.ethertype() {
        EtherType::ARP => {
            let arp = ArpView::parse(eth.payload())?;
            let verb = if arp.operation() == ArpOperation::REQUEST { "who has" } else { "is at, to" };
            Ok(format!("arp {} {} {verb} {}", arp.sender_ip(), arp.sender_mac(), arp.target_ip()))
        }
        EtherType::IPV4 => {
            let ip = Ipv4View::parse(eth.payload())?;
            match ip.protocol() {
                IpProtocol::TCP => tcp_line(&ip),
                IpProtocol::ICMP => {
                    let icmp = Icmpv4View::parse(ip.payload())?;
                    let (kind, code) = (icmp.message_type(), icmp.code());
                    Ok(format!("icmp {} > {} type {kind} code {code}", ip.src(), ip.dst()))
                }
                other => Ok(format!("ip {} > {} protocol {}", ip.src(), ip.dst(), other.0)),
            }
        }
        other => Ok(format!("{other:?} {} > {}", eth.src(), eth.dst())),
    }
}

fn tcp_line(ip: &Ipv4View<'_>) -> Result<String, WireError> {
    let tcp = TcpView::parse(ip.payload())?;
    let mut out = format!("tcp {}:{} > {}:{} ", ip.src(), tcp.src_port(), ip.dst(), tcp.dst_port());
    let names = [
        (TcpFlags::SYN, 'S'),
        (TcpFlags::FIN, 'F'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
    ];
    out.extend(names.iter().filter(|(flag, _)| tcp.flags().contains(*flag)).map(|&(_, name)| name));
    let _ =
        write!(out, " seq {} ack {} win {} len {}", tcp.seq(), tcp.ack(), tcp.window(), tcp.payload().len());
    if let Ok(options) = tcp.options() {
        let _ = options.mss.map(|mss| write!(out, " mss {mss}"));
        let _ = options.window_scale.map(|shift| write!(out, " wscale {shift}"));
        let _ = options.timestamps.map(|(value, echo)| write!(out, " ts {value}/{echo}"));
    }
    Ok(out)
}

/// Whether a frame is one that a host may send: every header well-formed and every checksum right.
///
/// # Errors
/// What is wrong with it.
pub fn check(frame: &[u8]) -> Result<(), WireError> {
    let eth = EthernetView::parse(frame)?;
    match eth.ethertype() {
        EtherType::ARP => ArpView::parse(eth.payload()).map(drop),
        EtherType::IPV4 => {
            let ip = Ipv4View::parse(eth.payload())?;
            ip.verify_checksum()?;
            match ip.protocol() {
                IpProtocol::TCP => {
                    let tcp = TcpView::parse(ip.payload())?;
                    tcp.verify_checksum(ip.src(), ip.dst())?;
                    tcp.options().map(drop)
                }
                IpProtocol::ICMP => Icmpv4View::parse(ip.payload())?.verify_checksum(),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
