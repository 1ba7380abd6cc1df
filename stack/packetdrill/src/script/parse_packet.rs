//! Packets, from words.

use super::ParseError;
use super::packet::{Body, Flags, Icmp, Packet, Tcp, TcpOption, Tos};
use super::parse::Parser;
use super::token::Token;

/// A packet after `<`: everything is said.
pub(super) fn injected(p: &mut Parser<'_>) -> Result<Packet, ParseError> {
    let packet = packet(p)?;
    if packet.tos == Tos::Ect01 {
        return Err(p.error("[ect01] is for expected packets"));
    }
    if let Body::Tcp(tcp) = &packet.body {
        if tcp.window.is_none() {
            return Err(p.error("an injected packet needs a window"));
        }
        if tcp.options.is_none() {
            return Err(p.error("<...> is for expected packets"));
        }
    }
    Ok(packet)
}

/// A packet after `>`: window, options and ECN may be left open.
pub(super) fn expected(p: &mut Parser<'_>) -> Result<Packet, ParseError> {
    let packet = packet(p)?;
    match packet.body {
        Body::Tcp(_) => Ok(packet),
        Body::Icmp(_) => Err(p.error("ICMP can only be injected")),
    }
}

fn packet(p: &mut Parser<'_>) -> Result<Packet, ParseError> {
    let (tos, ttl) = ip(p)?;
    let body = if p.keyword("icmp") { Body::Icmp(icmp(p)?) } else { Body::Tcp(tcp(p)?) };
    Ok(Packet { tos, ttl, body })
}

/// `[ect0]`, `(tos 0x10)`, `[ttl 64]`
fn ip(p: &mut Parser<'_>) -> Result<(Tos, Option<u8>), ParseError> {
    let end = if p.sign('[') {
        ']'
    } else if p.sign('(') {
        ')'
    } else {
        return Ok((Tos::Any, None));
    };
    let mut ttl = None;
    let tos = match p.word()?.as_str() {
        "noecn" => Tos::Ecn(0),
        "ect1" => Tos::Ecn(1),
        "ect0" => Tos::Ecn(2),
        "ce" => Tos::Ecn(3),
        "ect01" => Tos::Ect01,
        "tos" => Tos::Whole(p.number()?),
        "ttl" => {
            ttl = Some(p.number()?);
            Tos::Any
        }
        other => return Err(p.error(format!("'{other}' says nothing about an IP header"))),
    };
    p.expect(end)?;
    Ok((tos, ttl))
}

fn tcp(p: &mut Parser<'_>) -> Result<Tcp, ParseError> {
    let ports = match p.peek() {
        Some(Token::Int(_)) => {
            let from = p.number()?;
            p.expect('>')?;
            Some((from, p.number()?))
        }
        _ => None,
    };
    let flags = flags(p)?;
    let (seq, len) = sequence(p)?;
    let ack = if p.keyword("ack") { p.number()? } else { 0 };
    let window = if p.keyword("win") { Some(p.number()?) } else { None };
    let urgent = if p.keyword("urg") { p.number()? } else { 0 };
    let options = if p.sign('<') { options(p)? } else { Some(Vec::new()) };
    Ok(Tcp { ports, flags, seq, len, ack, window, urgent, options })
}

fn flags(p: &mut Parser<'_>) -> Result<Flags, ParseError> {
    if p.sign('-') {
        return Ok(Flags::default());
    }
    let mut text = match p.peek() {
        Some(Token::Word(_)) => p.word()?,
        Some(Token::Sign('.')) => String::new(),
        _ => return Err(p.unexpected("TCP flags")),
    };
    if p.sign('.') {
        text.push('.');
    }
    Flags::parse(&text).ok_or_else(|| p.error(format!("'{text}' are no TCP flags")))
}

/// `1:1001(1000)`
fn sequence(p: &mut Parser<'_>) -> Result<(u32, u16), ParseError> {
    let seq: u32 = p.number()?;
    p.expect(':')?;
    let end: u32 = p.number()?;
    p.expect('(')?;
    let len: u16 = p.number()?;
    p.expect(')')?;
    if seq.wrapping_add(u32::from(len)) != end {
        return Err(p.error("sequence numbers and length do not agree"));
    }
    Ok((seq, len))
}

/// After `<`: `None` for `...`.
fn options(p: &mut Parser<'_>) -> Result<Option<Vec<TcpOption>>, ParseError> {
    if p.peek() == Some(&Token::Ellipsis) {
        p.next();
        p.expect('>')?;
        return Ok(None);
    }
    let mut all = Vec::new();
    loop {
        all.push(option(p)?);
        if p.sign('>') {
            break;
        }
        p.expect(',')?;
    }
    let len: usize = all.iter().map(super::wire::option_len).sum();
    if !len.is_multiple_of(4) {
        return Err(p.error(format!("options of {len} bytes are not padded to four")));
    }
    if len > 40 {
        return Err(p.error(format!("options of {len} bytes do not fit a header")));
    }
    Ok(Some(all))
}

fn option(p: &mut Parser<'_>) -> Result<TcpOption, ParseError> {
    Ok(match p.word()?.as_str() {
        "nop" => TcpOption::Nop,
        "eol" => TcpOption::Eol,
        "mss" => TcpOption::Mss(p.number()?),
        "wscale" => TcpOption::Wscale(p.number()?),
        "sackOK" => TcpOption::SackOk,
        "sack" => TcpOption::Sack(blocks(p)?),
        "TS" => {
            let val = if p.keyword("val") { p.number()? } else { return Err(p.unexpected("'val'")) };
            let ecr = if p.keyword("ecr") { p.number()? } else { return Err(p.unexpected("'ecr'")) };
            TcpOption::Ts { val, ecr }
        }
        "md5" => TcpOption::Other(19, hex(p)?),
        "FO" => TcpOption::Other(34, hex(p)?),
        other => return Err(p.error(format!("'{other}' is no TCP option"))),
    })
}

fn blocks(p: &mut Parser<'_>) -> Result<Vec<(u32, u32)>, ParseError> {
    let mut blocks = Vec::new();
    while let Some(Token::Int(_)) = p.peek() {
        let left = p.number()?;
        p.expect(':')?;
        blocks.push((left, p.number()?));
    }
    if blocks.is_empty() { Err(p.unexpected("a SACK block")) } else { Ok(blocks) }
}

/// Pairs of hexadecimal digits; none is fine.
fn hex(p: &mut Parser<'_>) -> Result<Vec<u8>, ParseError> {
    let text = match p.peek() {
        Some(Token::Word(w)) => w.clone(),
        Some(Token::Int(n)) => n.to_string(),
        _ => return Ok(Vec::new()),
    };
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits =
        digits.filter(|d| d.len() % 2 == 0).ok_or_else(|| p.error(format!("'{text}' are no bytes")))?;
    p.next();
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// After `icmp`: `unreachable frag_needed mtu 1200 [1:1461(1460)]`. IPv4's types and codes (RFC 792, 1122), and
/// `packet_too_big` of ICMPv6 (RFC 4443 3.2).
fn icmp(p: &mut Parser<'_>) -> Result<Icmp, ParseError> {
    let name = p.word()?;
    let kind = match name.as_str() {
        "unreachable" => 3,
        "source_quench" => 4,
        "time_exceeded" => 11,
        "parameter_problem" => 12,
        "packet_too_big" => 2,
        other => return Err(p.error(format!("'{other}' is no ICMP error"))),
    };
    let code = match p.peek() {
        Some(Token::Word(w)) if w != "mtu" && w != "id" => {
            let word = w.clone();
            let code = code(&word).ok_or_else(|| p.error(format!("'{word}' is no ICMP code")))?;
            p.next();
            code
        }
        _ => 0,
    };
    let mtu = if p.keyword("mtu") { Some(p.number()?) } else { None };
    if mtu.is_some() && (kind, code) != (3, 4) && kind != 2 {
        return Err(p.error("only frag_needed and packet_too_big have an MTU"));
    }
    let (seq, len) = if p.sign('[') {
        let quoted = sequence(p)?;
        p.expect(']')?;
        quoted
    } else {
        (0, 0)
    };
    Ok(Icmp { kind, code, mtu, seq, len })
}

/// The code of "destination unreachable", or `code_N`.
fn code(word: &str) -> Option<u8> {
    const NAMES: [&str; 16] = [
        "net_unreachable",
        "host_unreachable",
        "protocol_unreachable",
        "port_unreachable",
        "frag_needed",
        "source_route_failed",
        "net_unknown",
        "host_unknown",
        "source_host_isolated",
        "net_prohibited",
        "host_prohibited",
        "net_unreachable_for_tos",
        "host_unreachable_for_tos",
        "packet_filtered",
        "precedence_violation",
        "precedence_cutoff",
    ];
    match word.strip_prefix("code_") {
        Some(number) => number.parse().ok(),
        None => NAMES.iter().position(|name| *name == word).map(|at| at as u8),
    }
}
