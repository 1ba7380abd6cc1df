//! The `--name=value` lines at a script's head.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ParseError;
use super::ast::Script;
use super::check::Tolerance;

/// What a script asks of the runner and of the stack.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) tolerance: Tolerance,
    /// The stack's address.
    pub local_ip: IpAddr,
    /// The scripted peer's.
    pub remote_ip: IpAddr,
    /// The stack's router.
    pub gateway_ip: IpAddr,
    /// The port that `bind` binds to.
    pub bind_port: u16,
    /// The peer's port that `connect` connects to.
    pub connect_port: u16,
    /// The peer's port for the first connection that it opens.
    pub(super) first_port: u16,
    /// Settings for the stack, as packetdrill hands them over: `--so_flags`.
    pub flags: String,
}

impl Settings {
    /// packetdrill's defaults for IPv4, and what `script` says.
    ///
    /// # Errors
    /// A setting that is not known or cannot be read.
    pub fn of(script: &Script) -> Result<Settings, ParseError> {
        let v6 = script.settings.iter().any(|(name, value)| name == "ip_version" && value == "ipv6");
        let mut settings = Settings::new(v6);
        for (name, value) in &script.settings {
            let set = settings.set(name, value);
            set.ok_or_else(|| ParseError { line: 1, what: format!("--{name}={value} is not understood") })?;
        }
        Ok(settings)
    }

    /// The host that the script asks for.
    ///
    /// # Errors
    /// `--so_flags` that are not known, or addresses that no host can have.
    pub(super) fn host(&self) -> Result<crate::Settings, ParseError> {
        let error = |what: String| ParseError { line: 1, what };
        let mut host = crate::Settings::parse(&self.flags).map_err(|e| error(format!("--so_flags: {e}")))?;
        let (IpAddr::V4(local), IpAddr::V4(gateway)) = (self.local_ip, self.gateway_ip) else {
            return Err(error("the host has no IPv6 yet".into()));
        };
        if !self.remote_ip.is_ipv4() {
            return Err(error("--remote_ip and --local_ip are of different families".into()));
        }
        (host.local_ip, host.gateway_ip) = (local, gateway);
        Ok(host)
    }

    fn new(v6: bool) -> Settings {
        let (local_ip, remote_ip, gateway_ip): (IpAddr, IpAddr, IpAddr) = if v6 {
            let local = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 2);
            let gateway = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0x8888, 0, 0, 0, 0);
            (local.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), gateway.into())
        } else {
            let (local, gateway) = (Ipv4Addr::new(192, 168, 0, 2), Ipv4Addr::new(192, 168, 0, 1));
            (local.into(), Ipv4Addr::new(192, 0, 2, 1).into(), gateway.into())
        };
        Settings {
            tolerance: Tolerance::default(),
            local_ip,
            remote_ip,
            gateway_ip,
            bind_port: 8080,
            connect_port: 8080,
            first_port: 40_000,
            flags: String::new(),
        }
    }

    /// `None`: not understood.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "ip_version" => return matches!(value, "ipv4" | "ipv6").then_some(()),
            "local_ip" => self.local_ip = value.parse().ok()?,
            "remote_ip" => self.remote_ip = value.split('/').next()?.parse().ok()?,
            "gateway_ip" => self.gateway_ip = value.parse().ok()?,
            "bind_port" => self.bind_port = value.parse().ok()?,
            "connect_port" => self.connect_port = value.parse().ok()?,
            "tolerance_usecs" => self.tolerance.micros = value.parse().ok()?,
            "tolerance_percent" => self.tolerance.percent = value.parse().ok()?,
            "tcp_ts_tick_usecs" => self.tolerance.timestamp_tick = value.parse().ok()?,
            "so_flags" => self.flags = value.to_string(),
            // Every segment is written down in a script, so this is always so.
            "strict_segments" => {}
            // The netmask is the stack's own affair.
            "netmask_ip" => {}
            _ => return None,
        }
        Some(())
    }
}
