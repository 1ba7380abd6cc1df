//! The order of last use, as a doubly linked list over slot numbers.

/// No slot.
pub(super) const NIL: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Links {
    older: u32,
    newer: u32,
    linked: bool,
}

/// Slots from the oldest to the newest use; every operation takes constant time.
#[derive(Debug)]
pub(super) struct Lru {
    links: Vec<Links>,
    oldest: u32,
    newest: u32,
}

impl Default for Lru {
    fn default() -> Lru {
        Lru { links: Vec::new(), oldest: NIL, newest: NIL }
    }
}

impl Lru {
    /// The slot used longest ago, or [`NIL`].
    pub(super) fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Makes `slot` the newest, whether it was in the list or not.
    pub(super) fn touch(&mut self, slot: u32) {
        self.remove(slot);
        let at = slot as usize;
        if at >= self.links.len() {
            self.links.resize(at + 1, Links { older: NIL, newer: NIL, linked: false });
        }
        self.links[at] = Links { older: self.newest, newer: NIL, linked: true };
        match self.newest {
            NIL => self.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    /// Takes `slot` out, if it is in.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(&Links { older, newer, linked: true }) = self.links.get(slot as usize) else { return };
        match older {
            NIL => self.oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
        match newer {
            NIL => self.newest = older,
            newer => self.links[newer as usize].older = older,
        }
        self.links[slot as usize].linked = false;
    }
}
