//! What the service may ask for: [`Net`] over the instance's connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::inner::{Entry, Inner, Listener, MAX_LISTENERS};
use super::receive::is_martian;
use crate::net::{ConnectOptions, Listen, ListenError, Net, NetError};
use crate::option::ConnOption;
use crate::ring::SendRing;
use crate::service::{CloseReason, ConnId, ConnInfo};
use crate::tcp::table::Key;
use crate::tcp::tcb::{Open, State, Tcb};
use crate::tcp_info::TcpInfo;
use crate::time::Instant;

/// Source ports of active opens (RFC 6335 leaves 49152 and up; RFC 6056 3.2 asks for many).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=65_535;

impl Inner {
    fn live(&mut self, id: ConnId) -> Option<&mut Tcb> {
        self.table.get_mut(id).filter(|tcb| tcb.over.is_none())
    }

    fn ipv4_peer(&self, to: SocketAddr) -> Result<Ipv4Addr, NetError> {
        match to.ip() {
            // RFC 9293 3.9.1.1, MUST-46: nor to the network's broadcast, nor to ourselves
            IpAddr::V4(ip) if to.port() != 0 && !is_martian(self, ip) => Ok(ip),
            _ => Err(NetError::BadAddress),
        }
    }

    /// A free source port whose answers come to this core (design rule 8), by RFC 6056 3.3.1: the first from a random one
    /// on, which a keyed hash moves as in 3.3.3. One in TIME_WAIT may be used again after a second if timestamps tell the
    /// connections apart (RFC 6191).
    fn source_port(&mut self, base: &Key, remote: Ipv4Addr, remote_port: u16) -> Option<u16> {
        let start = self.secret.port_offset(base).wrapping_add(self.draw() as u32);
        let ours = self.config.source_ports.as_deref();
        let count = ours.map_or(u32::from(EPHEMERAL.end() - EPHEMERAL.start()) + 1, |ours| ours.len() as u32);
        let nth = |n: u32| {
            // Not wrapped at 2^32 but at the end of the list, so that no port comes twice.
            let n = (u64::from(start) + u64::from(n)) % u64::from(count);
            ours.map_or(EPHEMERAL.start() + n as u16, |ours| ours[n as usize])
        };
        (0..count).map(nth).find(|&port| {
            let steer = &self.config.steer;
            steer.owner_of(remote, self.config.address, remote_port, port) == steer.core()
                && !self.listeners.contains_key(&port)
                && self.port_is_free(&base.with_local_port(port))
        })
    }

    fn port_is_free(&self, key: &Key) -> bool {
        match self.find(key) {
            None => true,
            Some(Entry::Conn(_)) => false,
            Some(Entry::TimeWait(slot)) => self.time_waits.get(slot).is_none_or(|entry| {
                let began = entry.until - self.config.tcp.time_wait;
                entry.ts_recent.is_some() && self.now.since(began) > std::time::Duration::from_secs(1)
            }),
        }
    }

    fn local_port(
        &mut self,
        to: SocketAddr,
        remote: Ipv4Addr,
        options: &ConnectOptions,
    ) -> Result<u16, NetError> {
        let base = Key::new(self.config.address, 0, remote, to.port());
        match options.local {
            Some(local) if local.ip() != IpAddr::V4(self.config.address) && !local.ip().is_unspecified() => {
                Err(NetError::BadAddress)
            }
            Some(local) if local.port() != 0 => {
                let ours = self.config.source_ports.as_deref();
                if ours.is_none_or(|ours| ours.contains(&local.port()))
                    && self.port_is_free(&base.with_local_port(local.port()))
                {
                    Ok(local.port())
                } else {
                    Err(NetError::NoResources)
                }
            }
            _ => self.source_port(&base, remote, to.port()).ok_or(NetError::NoResources),
        }
    }

    /// Takes over what a TIME_WAIT entry knows and removes it: our next sequence number there.
    pub(super) fn leave_time_wait(&mut self, key: &Key) -> Option<ferroflow_wire::SeqNumber> {
        let entry = self.time_waits.remove(self.time_waits.find(key)?)?;
        self.counters.tcp_time_wait_reused += 1;
        Some(entry.snd_nxt)
    }
}

impl Net for Inner {
    #[inline]
    fn now(&self) -> Instant {
        self.now
    }

    fn random(&mut self) -> u64 {
        self.draw()
    }

    fn listen(&mut self, at: Listen) -> Result<(), ListenError> {
        let ours = at.address.is_none_or(|ip| ip == IpAddr::V4(self.config.address) || ip.is_unspecified());
        if at.port == 0 || !ours {
            let ip = at.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            return Err(ListenError::BadAddress(SocketAddr::new(ip, at.port)));
        }
        if self.listeners.contains_key(&at.port) {
            return Err(ListenError::InUse(at.port));
        }
        if self.listeners.len() >= MAX_LISTENERS {
            return Err(ListenError::TooMany);
        }
        self.listeners.insert(
            at.port,
            Listener { at, half_open: 0, accepting: true, cookie_sent: None, options: Vec::new() },
        );
        Ok(())
    }

    fn connect(&mut self, to: SocketAddr, options: ConnectOptions) -> Result<ConnId, NetError> {
        let remote = self.ipv4_peer(to)?;
        let port = self.local_port(to, remote, &options)?;
        let local = self.config.address;
        let key = Key::new(local, port, remote, to.port());
        let old = self.leave_time_wait(&key);
        let open = Open {
            key,
            token: options.token,
            iss: self.new_iss(&key, old),
            ts_offset: self.secret.ts_offset(&key),
            mss: self.mss(),
            options: &[],
        };
        let tcb = Tcb::active(open, self.now, &self.config.tcp);
        let id = self.table.insert(tcb).ok_or(NetError::NoResources)?;
        self.mark_dirty(id.index() as u32);
        self.rearm(id.index() as u32);
        Ok(id)
    }

    #[inline]
    fn sender(&mut self, id: ConnId) -> Result<&mut SendRing, NetError> {
        match self.table.get(id) {
            Some(tcb) if tcb.over.is_none() && !tcb.fin_wanted => {}
            Some(tcb) if tcb.over.is_none() => return Err(NetError::Closing),
            _ => return Err(NetError::NoConn),
        }
        self.mark_dirty(id.index() as u32);
        self.table.get_mut(id).map(|tcb| &mut tcb.tx).ok_or(NetError::NoConn)
    }

    fn send_urgent(&mut self, id: ConnId, data: &[u8]) -> Result<usize, NetError> {
        let n = self.sender(id)?.write(data);
        if let Some(tcb) = self.table.get_mut(id).filter(|_| n > 0) {
            tcb.urge();
        }
        Ok(n)
    }

    fn urgent(&self, id: ConnId) -> usize {
        self.table.get(id).map_or(0, |tcb| tcb.urgent_ahead() as usize)
    }

    fn room(&self, id: ConnId) -> usize {
        match self.table.get(id) {
            Some(tcb) if tcb.over.is_none() && !tcb.fin_wanted => tcb.tx.room(),
            _ => 0,
        }
    }

    fn shutdown(&mut self, id: ConnId) {
        let Some(tcb) = self.live(id) else { return };
        tcb.shutdown();
        self.mark_dirty(id.index() as u32);
    }

    fn close(&mut self, id: ConnId) {
        let (now, linger) = (self.now, self.config.tcp.linger);
        let fin_wait_2 = self.table.get(id).map_or(linger, |tcb| tcb.fin_wait_2(&self.config.tcp));
        let Some(tcb) = self.live(id) else { return };
        if tcb.service_done {
            return;
        }
        tcb.service_done = true;
        let index = id.index() as u32;
        match tcb.state {
            // RFC 9293 3.10.4; nothing is worth waiting for that the service does not want any more
            State::SynSent | State::SynReceived => return self.abort(id),
            State::Drained => return self.finish(index, CloseReason::Finished),
            // RFC 9293 3.6.1, RFC 2525 2.17: unread data is lost, and the peer must know
            _ if !tcb.rx.is_empty() => {
                self.counters.tcp_closed_unread += 1;
                return self.abort(id);
            }
            _ => tcb.shutdown(),
        }
        // Nobody above waits for it any more, so it must not last as long as its peer likes.
        let patience = if tcb.state == State::FinWait2 { fin_wait_2 } else { linger };
        tcb.deadlines.give_up = Some(now + patience);
        tcb.deadlines.service = None;
        self.mark_dirty(index);
        self.rearm(index);
    }

    fn abort(&mut self, id: ConnId) {
        if self.live(id).is_none() {
            return;
        }
        self.send_reset_of(id);
        self.finish(id.index() as u32, CloseReason::Aborted);
    }

    fn resume(&mut self, id: ConnId) {
        let Some(tcb) = self.live(id) else { return };
        if !tcb.resumed {
            tcb.resumed = true;
            self.resumed.push(id);
        }
    }

    fn unread(&self, id: ConnId) -> (&[u8], &[u8]) {
        self.table.get(id).map_or((&[], &[]), |tcb| tcb.rx.unread())
    }

    fn take(&mut self, id: ConnId, n: usize) {
        let max = self.recv_limit();
        let Inner { table, now, .. } = self;
        let Some(tcb) = table.get_mut(id) else { return };
        let n = n.min(tcb.rx.len());
        let lent = tcb.rx.lend();
        tcb.rx.put_back(lent, n);
        tcb.reader_took(n, *now, max);
        let emptied = tcb.rx.is_empty() && tcb.fin_received() && !tcb.eof_told;
        if emptied {
            self.resume(id);
        }
        self.mark_dirty(id.index() as u32);
    }

    fn unlisten(&mut self, port: u16) {
        if self.listeners.remove(&port).is_none() {
            return;
        }
        let half_open = self.table.indices().collect::<Vec<_>>();
        for index in half_open {
            if self.table.at(index).is_some_and(|tcb| tcb.listener == Some(port)) {
                self.finish(index, CloseReason::Aborted);
            }
        }
    }

    fn set_accepting(&mut self, port: u16, accepting: bool) {
        if let Some(listener) = self.listeners.get_mut(&port) {
            listener.accepting = accepting;
        }
    }

    fn arm(&mut self, id: ConnId, at: Option<Instant>) {
        let Some(tcb) = self.live(id) else { return };
        tcb.deadlines.service = at;
        self.rearm(id.index() as u32);
    }

    fn set_option(&mut self, id: ConnId, option: ConnOption) -> Result<(), NetError> {
        let Inner { table, config, now, .. } = self;
        let tcb = table.get_mut(id).filter(|tcb| tcb.over.is_none()).ok_or(NetError::NoConn)?;
        if tcb.set_option(option, *now, &config.tcp) {
            self.mark_dirty(id.index() as u32);
        }
        self.rearm(id.index() as u32);
        Ok(())
    }

    fn set_listen_option(&mut self, port: u16, option: ConnOption) -> Result<(), NetError> {
        let listener = self.listeners.get_mut(&port).ok_or(NetError::NoConn)?;
        // The last of a kind counts.
        let kind = std::mem::discriminant(&option);
        listener.options.retain(|known| std::mem::discriminant(known) != kind);
        listener.options.push(option);
        Ok(())
    }

    fn tcp_info(&self, id: ConnId) -> Option<TcpInfo> {
        Some(self.table.get(id)?.tcp_info(self.now, &self.config.tcp))
    }

    fn info(&self, id: ConnId) -> Option<ConnInfo> {
        self.table.get(id).filter(|tcb| tcb.over.is_none()).map(|tcb| tcb.info())
    }
}
