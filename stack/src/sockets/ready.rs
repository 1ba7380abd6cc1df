//! What a socket is ready for.

use std::ops::{BitAnd, BitOr, BitOrAssign};

/// Conditions of a socket, with the bits of Linux's `poll.h` and `sys/epoll.h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ready(pub u32);

impl Ready {
    /// None.
    pub const NONE: Ready = Ready(0);
    /// A read (or an accept) will not block: there is something, or the end.
    pub const IN: Ready = Ready(0x001);
    /// There is urgent data ahead. It is read in its place.
    pub const PRI: Ready = Ready(0x002);
    /// A write will not block: there is room, or it fails.
    pub const OUT: Ready = Ready(0x004);
    /// An error waits to be fetched; always reported.
    pub const ERR: Ready = Ready(0x008);
    /// Both directions are closed; always reported.
    pub const HUP: Ready = Ready(0x010);
    /// Not an open descriptor; from `poll` alone.
    pub const NVAL: Ready = Ready(0x020);
    /// As IN, for those who ask for ordinary data.
    pub const RDNORM: Ready = Ready(0x040);
    /// As OUT, for those who ask for ordinary data.
    pub const WRNORM: Ready = Ready(0x100);
    /// The peer will send no more.
    pub const RDHUP: Ready = Ready(0x2000);

    /// What makes a read ready, and a write.
    pub(super) const READ: Ready = Ready(Ready::IN.0 | Ready::RDNORM.0);
    pub(super) const WRITE: Ready = Ready(Ready::OUT.0 | Ready::WRNORM.0);

    /// Whether all of `other` is in it.
    #[inline]
    pub const fn contains(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in it.
    #[inline]
    pub const fn intersects(self, other: Ready) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it and not in `other`.
    #[inline]
    pub const fn without(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }

    /// `self` if `on`, else nothing.
    #[inline]
    pub(super) const fn when(self, on: bool) -> Ready {
        if on { self } else { Ready::NONE }
    }
}

impl BitOr for Ready {
    type Output = Ready;
    #[inline]
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    #[inline]
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl BitAnd for Ready {
    type Output = Ready;
    #[inline]
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [(Ready, &str); 9] = [
            (Ready::IN, "IN"),
            (Ready::PRI, "PRI"),
            (Ready::OUT, "OUT"),
            (Ready::ERR, "ERR"),
            (Ready::HUP, "HUP"),
            (Ready::NVAL, "NVAL"),
            (Ready::RDNORM, "RDNORM"),
            (Ready::WRNORM, "WRNORM"),
            (Ready::RDHUP, "RDHUP"),
        ];
        let names: Vec<&str> =
            NAMES.into_iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, name)| name).collect();
        f.write_str(if names.is_empty() { "-" } else { "" })?;
        f.write_str(&names.join("|"))
    }
}
