//! Socket options, by the numbers and in the bytes of Linux.

use std::time::Duration;

use ferroflow_stack::ConnOption;
use ferroflow_stack::sockets::{Errno, Fd, Options, SocketOption};

use super::{Host, info};

type Result<T> = std::result::Result<T, Errno>;

/// asm-generic/socket.h, linux/tcp.h
const SO_MEMINFO: i32 = 55;
const TCP_CC_INFO: i32 = 26;
/// Linux's bounds: MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL in seconds, MAX_TCP_KEEPCNT and MAX_TCP_SYNCNT.
const MAX_KEEP_SECONDS: i32 = 32_767;
const MAX_COUNT: i32 = 127;
/// TCP_MIN_MSS and MAX_TCP_WINDOW
const MSS: std::ops::RangeInclusive<i32> = 88..=32_767;
/// net.core.rmem_max and wmem_max
const MAX_BUFFER: usize = 212_992;

impl Host {
    /// `setsockopt(2)`
    ///
    /// # Errors
    /// As on Linux: ENOPROTOOPT for options that are not known.
    pub fn set_option(&mut self, fd: Fd, level: i32, name: i32, value: &[u8]) -> Result<()> {
        let option = match level {
            libc::SOL_SOCKET => socket_option(name, value)?,
            libc::IPPROTO_TCP => SocketOption::Conn(tcp_option(name, value)?),
            libc::IPPROTO_IP => SocketOption::Conn(ip_option(name, value)?),
            libc::IPPROTO_IPV6 if name == libc::IPV6_V6ONLY => SocketOption::V6Only(switch(value)?),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        self.call(|sockets, net| sockets.set_option(net, fd, option))
    }

    /// `getsockopt(2)`: writes the value into `value`, cut if it is longer; returns its length.
    ///
    /// # Errors
    /// As on Linux: ENOPROTOOPT for options that are not known.
    pub fn option(&mut self, fd: Fd, level: i32, name: i32, value: &mut [u8]) -> Result<usize> {
        let options = self.look(|sockets, _| sockets.options(fd).cloned())?;
        let number = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_ERROR) => {
                self.look(|sockets, _| sockets.take_error(fd))?.map_or(0, Errno::number)
            }
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => {
                self.look(|sockets, _| sockets.is_listening(fd))?.into()
            }
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                let seconds = options.linger.map_or(0, |time| time.as_secs() as i32);
                let [on, seconds] = [i32::from(options.linger.is_some()), seconds].map(i32::to_ne_bytes);
                return Ok(put(value, &[on, seconds].concat()));
            }
            (libc::SOL_SOCKET, SO_MEMINFO) => {
                let info = self.look(|sockets, net| sockets.tcp_info(net, fd))?;
                return Ok(put(value, &info::memory(&info)));
            }
            (libc::SOL_SOCKET, _) => self.socket_number(&options, name)?,
            (libc::IPPROTO_TCP, libc::TCP_INFO) => {
                let info = self.look(|sockets, net| sockets.tcp_info(net, fd))?;
                return Ok(put(value, &info::bytes(&info)));
            }
            // Linux's cubic and reno have nothing to tell either.
            (libc::IPPROTO_TCP, TCP_CC_INFO) => return Ok(0),
            (libc::IPPROTO_TCP, libc::TCP_CONGESTION) => {
                let set = find(&options, |option| match option {
                    ConnOption::Congestion(algorithm) => Some(algorithm),
                    _ => None,
                });
                let mut name = [0; 16]; // TCP_CA_NAME_MAX
                put(&mut name, set.unwrap_or(self.settings.tcp.congestion).name().as_bytes());
                return Ok(put(value, &name));
            }
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => self.max_segment(fd, &options)?,
            (libc::IPPROTO_TCP, _) => self.tcp_number(&options, name)?,
            (libc::IPPROTO_IP, _) => ip_number(&options, name)?,
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => options.v6_only.into(),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(put(value, &number.to_ne_bytes()))
    }

    fn socket_number(&self, options: &Options, name: i32) -> Result<i32> {
        let tcp = &self.settings.tcp;
        // Linux doubles what was set: half of it is for its own bookkeeping.
        let doubled = |bytes: usize| i32::try_from(2 * bytes).unwrap_or(i32::MAX);
        Ok(match name {
            libc::SO_TYPE => libc::SOCK_STREAM,
            libc::SO_PROTOCOL => libc::IPPROTO_TCP,
            libc::SO_REUSEADDR => options.reuse_address.into(),
            libc::SO_OOBINLINE => 1,
            libc::SO_KEEPALIVE => find(options, |option| match option {
                ConnOption::Keepalive(on) => Some(on),
                _ => None,
            })
            .unwrap_or(tcp.keepalive.is_some())
            .into(),
            libc::SO_RCVBUF => find(options, |option| match option {
                ConnOption::RecvBuffer(bytes) => Some(doubled(bytes)),
                _ => None,
            })
            .unwrap_or(tcp.recv_buffer_initial as i32),
            libc::SO_SNDBUF => find(options, |option| match option {
                ConnOption::SendBuffer(bytes) => Some(doubled(bytes)),
                _ => None,
            })
            .unwrap_or(tcp.send_buffer_initial as i32),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    fn tcp_number(&self, options: &Options, name: i32) -> Result<i32> {
        let tcp = &self.settings.tcp;
        let keepalive = tcp.keepalive.unwrap_or_default();
        let seconds = |time: Duration| time.as_secs() as i32;
        let set =
            |f: fn(ConnOption) -> Option<i64>| find(options, f).map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        Ok(match name {
            libc::TCP_NODELAY => set(|option| match option {
                ConnOption::NoDelay(on) => Some(on.into()),
                _ => None,
            })
            .unwrap_or((!tcp.nagle).into()),
            libc::TCP_CORK => set(|option| match option {
                ConnOption::Cork(on) => Some(on.into()),
                _ => None,
            })
            .unwrap_or(0),
            libc::TCP_QUICKACK => set(|option| match option {
                ConnOption::QuickAck(on) => Some(on.into()),
                _ => None,
            })
            .unwrap_or(0),
            libc::TCP_KEEPIDLE => set(|option| match option {
                ConnOption::KeepaliveIdle(time) => Some(time.as_secs() as i64),
                _ => None,
            })
            .unwrap_or(seconds(keepalive.idle)),
            libc::TCP_KEEPINTVL => set(|option| match option {
                ConnOption::KeepaliveInterval(time) => Some(time.as_secs() as i64),
                _ => None,
            })
            .unwrap_or(seconds(keepalive.interval)),
            libc::TCP_KEEPCNT => set(|option| match option {
                ConnOption::KeepaliveProbes(count) => Some(count.into()),
                _ => None,
            })
            .unwrap_or(keepalive.probes as i32),
            libc::TCP_USER_TIMEOUT => set(|option| match option {
                ConnOption::UserTimeout(time) => Some(time.as_millis() as i64),
                _ => None,
            })
            .unwrap_or(0),
            libc::TCP_SYNCNT => set(|option| match option {
                ConnOption::SynRetries(count) => Some(count.into()),
                _ => None,
            })
            .unwrap_or(0),
            libc::TCP_LINGER2 => set(|option| match option {
                ConnOption::FinTimeout(time) => Some(time.as_secs() as i64),
                _ => None,
            })
            .unwrap_or(seconds(tcp.fin_wait_2)),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// The segment size in use, or what was asked for, or what is to be assumed (RFC 9293 3.7.1).
    fn max_segment(&mut self, fd: Fd, options: &Options) -> Result<i32> {
        let info = self.look(|sockets, net| sockets.tcp_info(net, fd))?;
        let set = find(options, |option| match option {
            ConnOption::MaxSegment(bytes) => Some(i32::from(bytes)),
            _ => None,
        });
        Ok(if info.snd_mss > 0 { info.snd_mss as i32 } else { set.unwrap_or(536) })
    }
}

fn socket_option(name: i32, value: &[u8]) -> Result<SocketOption> {
    let buffer = || Ok::<_, Errno>(usize::try_from(int(value)?).unwrap_or(usize::MAX).min(MAX_BUFFER));
    Ok(match name {
        libc::SO_REUSEADDR => SocketOption::ReuseAddress(switch(value)?),
        libc::SO_OOBINLINE => SocketOption::UrgentInline(switch(value)?),
        libc::SO_KEEPALIVE => SocketOption::Conn(ConnOption::Keepalive(switch(value)?)),
        libc::SO_RCVBUF => SocketOption::Conn(ConnOption::RecvBuffer(buffer()?)),
        libc::SO_SNDBUF => SocketOption::Conn(ConnOption::SendBuffer(buffer()?)),
        libc::SO_LINGER => {
            let (on, time) = (int(value)?, int(value.get(4..).unwrap_or(&[]))?);
            let time = Duration::from_secs(time.try_into().map_err(|_| Errno::EINVAL)?);
            SocketOption::Linger((on != 0).then_some(time))
        }
        _ => return Err(Errno::ENOPROTOOPT),
    })
}

/// `ip(7)`
fn ip_option(name: i32, value: &[u8]) -> Result<ConnOption> {
    let number = int(value)?;
    match name {
        // Linux: the ECN bits are TCP's own
        libc::IP_TOS => Ok(ConnOption::DiffServ(number as u8 & !3)),
        libc::IP_TTL if (1..=255).contains(&number) => Ok(ConnOption::TimeToLive(number as u8)),
        libc::IP_TTL => Err(Errno::EINVAL),
        _ => Err(Errno::ENOPROTOOPT),
    }
}

fn ip_number(options: &Options, name: i32) -> Result<i32> {
    match name {
        libc::IP_TOS => Ok(find(options, |option| match option {
            ConnOption::DiffServ(field) => Some(field.into()),
            _ => None,
        })
        .unwrap_or(0)),
        libc::IP_TTL => Ok(find(options, |option| match option {
            ConnOption::TimeToLive(ttl) => Some(ttl.into()),
            _ => None,
        })
        .unwrap_or(64)),
        _ => Err(Errno::ENOPROTOOPT),
    }
}

fn tcp_option(name: i32, value: &[u8]) -> Result<ConnOption> {
    if name == libc::TCP_CONGESTION {
        let name = value.split(|b| *b == 0).next().unwrap_or(&[]);
        let name = std::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        return Ok(ConnOption::Congestion(name.parse().map_err(|_| Errno::ENOENT)?));
    }
    let number = int(value)?;
    let within = |range: std::ops::RangeInclusive<i32>| {
        if range.contains(&number) { Ok(number as u32) } else { Err(Errno::EINVAL) }
    };
    let seconds = |max| within(1..=max).map(|n| Duration::from_secs(n.into()));
    Ok(match name {
        libc::TCP_NODELAY => ConnOption::NoDelay(number != 0),
        libc::TCP_CORK => ConnOption::Cork(number != 0),
        libc::TCP_QUICKACK => ConnOption::QuickAck(number != 0),
        libc::TCP_MAXSEG => ConnOption::MaxSegment(within(MSS)? as u16),
        libc::TCP_KEEPIDLE => ConnOption::KeepaliveIdle(seconds(MAX_KEEP_SECONDS)?),
        libc::TCP_KEEPINTVL => ConnOption::KeepaliveInterval(seconds(MAX_KEEP_SECONDS)?),
        libc::TCP_KEEPCNT => ConnOption::KeepaliveProbes(within(1..=MAX_COUNT)?),
        libc::TCP_SYNCNT => ConnOption::SynRetries(within(1..=MAX_COUNT)?),
        libc::TCP_USER_TIMEOUT => {
            ConnOption::UserTimeout(Duration::from_millis(within(0..=i32::MAX)?.into()))
        }
        libc::TCP_LINGER2 => ConnOption::FinTimeout(seconds(i32::MAX)?),
        _ => return Err(Errno::ENOPROTOOPT),
    })
}

fn find<T>(options: &Options, f: impl Fn(ConnOption) -> Option<T>) -> Option<T> {
    options.conn.iter().find_map(|option| f(*option))
}

/// The int at the beginning of an option's value.
fn int(value: &[u8]) -> Result<i32> {
    value.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)
}

fn switch(value: &[u8]) -> Result<bool> {
    Ok(int(value)? != 0)
}

fn put(value: &mut [u8], bytes: &[u8]) -> usize {
    let n = value.len().min(bytes.len());
    value[..n].copy_from_slice(&bytes[..n]);
    n
}
