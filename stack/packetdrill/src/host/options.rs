//! Socket options, by the numbers and in the bytes of Linux.

use std::time::Duration;

use ferroflow_stack::sockets::{Errno, Fd, SocketOption};

use super::Host;

type Result<T> = std::result::Result<T, Errno>;

impl Host {
    /// `setsockopt(2)`
    ///
    /// # Errors
    /// As on Linux: ENOPROTOOPT for options that are not known.
    pub fn set_option(&mut self, fd: Fd, level: i32, name: i32, value: &[u8]) -> Result<()> {
        let option = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => SocketOption::ReuseAddress(int(value)? != 0),
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                let (on, seconds) = (int(value)?, int(value.get(4..).unwrap_or(&[]))?);
                let time = Duration::from_secs(u64::try_from(seconds).map_err(|_| Errno::EINVAL)?);
                SocketOption::Linger((on != 0).then_some(time))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => SocketOption::V6Only(int(value)? != 0),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        self.call(|sockets, net| sockets.set_option(net, fd, option))
    }

    /// `getsockopt(2)`: writes the value into `value`, cut if it is longer; returns its length.
    ///
    /// # Errors
    /// As on Linux: ENOPROTOOPT for options that are not known.
    pub fn option(&mut self, fd: Fd, level: i32, name: i32, value: &mut [u8]) -> Result<usize> {
        let options = self.look(|sockets, _| sockets.options(fd).copied())?;
        let number = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_ERROR) => {
                self.look(|sockets, _| sockets.take_error(fd))?.map_or(0, Errno::number)
            }
            (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_STREAM,
            (libc::SOL_SOCKET, libc::SO_PROTOCOL) => libc::IPPROTO_TCP,
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => {
                self.look(|sockets, _| sockets.is_listening(fd))?.into()
            }
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => options.reuse_address.into(),
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                let seconds = options.linger.map_or(0, |time| time.as_secs() as i32);
                let [on, seconds] = [i32::from(options.linger.is_some()), seconds].map(i32::to_ne_bytes);
                return Ok(put(value, &[on, seconds].concat()));
            }
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => options.v6_only.into(),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(put(value, &number.to_ne_bytes()))
    }
}

/// The int at the beginning of an option's value.
fn int(value: &[u8]) -> Result<i32> {
    value.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)
}

fn put(value: &mut [u8], bytes: &[u8]) -> usize {
    let n = value.len().min(bytes.len());
    value[..n].copy_from_slice(&bytes[..n]);
    n
}
