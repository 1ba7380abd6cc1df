//! Why a call failed: the names and numbers that programs written for Linux expect.

/// An error of a socket call. The discriminants are Linux's error numbers (asm-generic), so that `errno as i32` is
/// what a C program finds in `errno`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[repr(i32)]
pub enum Errno {
    /// Not such a file.
    #[error("ENOENT: no such entry")]
    ENOENT = 2,
    /// Interrupted.
    #[error("EINTR: interrupted")]
    EINTR = 4,
    /// The number is not open.
    #[error("EBADF: not an open descriptor")]
    EBADF = 9,
    /// Nothing to be had now.
    #[error("EAGAIN: would block")]
    EAGAIN = 11,
    /// Out of memory.
    #[error("ENOMEM: out of memory")]
    ENOMEM = 12,
    /// A pointer that leads nowhere.
    #[error("EFAULT: bad address")]
    EFAULT = 14,
    /// It is there already.
    #[error("EEXIST: exists already")]
    EEXIST = 17,
    /// The call makes no sense for this socket.
    #[error("EINVAL: invalid argument")]
    EINVAL = 22,
    /// No number left.
    #[error("EMFILE: too many open descriptors")]
    EMFILE = 24,
    /// The request is not known for this descriptor.
    #[error("ENOTTY: inappropriate request")]
    ENOTTY = 25,
    /// A pipe cannot seek.
    #[error("ESPIPE: illegal seek")]
    ESPIPE = 29,
    /// Our side is closed for sending, or there never was a connection.
    #[error("EPIPE: broken pipe")]
    EPIPE = 32,
    /// The call does not exist.
    #[error("ENOSYS: no such call")]
    ENOSYS = 38,
    /// Not a socket.
    #[error("ENOTSOCK: not a socket")]
    ENOTSOCK = 88,
    /// No address was given, and there is no peer.
    #[error("EDESTADDRREQ: destination address required")]
    EDESTADDRREQ = 89,
    /// It does not fit in a packet.
    #[error("EMSGSIZE: message too long")]
    EMSGSIZE = 90,
    /// The option is not known.
    #[error("ENOPROTOOPT: protocol not available")]
    ENOPROTOOPT = 92,
    /// The protocol is not known.
    #[error("EPROTONOSUPPORT: protocol not supported")]
    EPROTONOSUPPORT = 93,
    /// The type of socket is not known.
    #[error("ESOCKTNOSUPPORT: socket type not supported")]
    ESOCKTNOSUPPORT = 94,
    /// Not for this kind of socket.
    #[error("EOPNOTSUPP: operation not supported")]
    EOPNOTSUPP = 95,
    /// The address family is not known, or not this socket's.
    #[error("EAFNOSUPPORT: address family not supported")]
    EAFNOSUPPORT = 97,
    /// Somebody has the address already.
    #[error("EADDRINUSE: address already in use")]
    EADDRINUSE = 98,
    /// The address is not ours, or no port is free.
    #[error("EADDRNOTAVAIL: cannot assign requested address")]
    EADDRNOTAVAIL = 99,
    /// No way to the network.
    #[error("ENETUNREACH: network is unreachable")]
    ENETUNREACH = 101,
    /// The connection was given up on this side.
    #[error("ECONNABORTED: connection aborted")]
    ECONNABORTED = 103,
    /// The peer reset the connection.
    #[error("ECONNRESET: connection reset by peer")]
    ECONNRESET = 104,
    /// No buffer left.
    #[error("ENOBUFS: no buffer space available")]
    ENOBUFS = 105,
    /// There is a connection already.
    #[error("EISCONN: already connected")]
    EISCONN = 106,
    /// There is no connection.
    #[error("ENOTCONN: not connected")]
    ENOTCONN = 107,
    /// No answer in time.
    #[error("ETIMEDOUT: connection timed out")]
    ETIMEDOUT = 110,
    /// Nobody listens there.
    #[error("ECONNREFUSED: connection refused")]
    ECONNREFUSED = 111,
    /// No way to the host.
    #[error("EHOSTUNREACH: no route to host")]
    EHOSTUNREACH = 113,
    /// A connect is under way already.
    #[error("EALREADY: operation already in progress")]
    EALREADY = 114,
    /// The connect goes on in the background.
    #[error("EINPROGRESS: operation now in progress")]
    EINPROGRESS = 115,
}

impl Errno {
    /// All of them.
    pub const ALL: [Errno; 34] = [
        Errno::ENOENT,
        Errno::EINTR,
        Errno::EBADF,
        Errno::EAGAIN,
        Errno::ENOMEM,
        Errno::EFAULT,
        Errno::EEXIST,
        Errno::EINVAL,
        Errno::EMFILE,
        Errno::ENOTTY,
        Errno::ESPIPE,
        Errno::EPIPE,
        Errno::ENOSYS,
        Errno::ENOTSOCK,
        Errno::EDESTADDRREQ,
        Errno::EMSGSIZE,
        Errno::ENOPROTOOPT,
        Errno::EPROTONOSUPPORT,
        Errno::ESOCKTNOSUPPORT,
        Errno::EOPNOTSUPP,
        Errno::EAFNOSUPPORT,
        Errno::EADDRINUSE,
        Errno::EADDRNOTAVAIL,
        Errno::ENETUNREACH,
        Errno::ECONNABORTED,
        Errno::ECONNRESET,
        Errno::ENOBUFS,
        Errno::EISCONN,
        Errno::ENOTCONN,
        Errno::ETIMEDOUT,
        Errno::ECONNREFUSED,
        Errno::EHOSTUNREACH,
        Errno::EALREADY,
        Errno::EINPROGRESS,
    ];

    /// Linux's number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The error of a number; `None` for numbers that no call here gives.
    pub fn from_number(number: i32) -> Option<Errno> {
        Errno::ALL.into_iter().find(|errno| errno.number() == number)
    }

    /// Its name, as in `errno.h`.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The error of a name.
    pub fn from_name(name: &str) -> Option<Errno> {
        Errno::ALL.into_iter().find(|errno| errno.name() == name)
    }
}
