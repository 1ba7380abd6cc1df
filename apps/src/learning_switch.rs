//! A learning switch: it learns which MAC address is behind which port and installs flows between them.
//!
//! For every packet that a switch has no flow for:
//!
//! 1. Learn: the source address is behind the port that the packet came in.
//! 2. If the destination's port is known, install a flow for the two and send the packet the same way.
//! 3. If it is not known, or is a group address, flood the packet and install nothing.
//!
//! Like every switch without a spanning tree it needs a network without loops. A loop shows as an address that seems
//! to move from port to port all the time; it is named in the log and for a while its floods are held back and no flow is
//! installed for it, so that what becomes of it is seen here.
//!
//! One `LearningSwitch` runs per core and is called with that core's switches only: `&mut self` is all the
//! synchronisation there is.

use std::collections::HashMap;
use std::time::Duration;

use ferroflow::ethernet::EthernetView;
use ferroflow::flow::{Action, Delete, Flow, Match, PortNo, VlanMatch};
use ferroflow::{App, Cx, Dp, Instant, MacAddr, Next, PacketIn, PortStatus};
use foldhash::fast::FixedState;

/// What can be set, and why the defaults are what they are.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Addresses learnt at most, over all switches of a core: 1,000,000, some 50 MiB.
    pub max_macs: usize,
    /// An address that was not heard of for so long is forgotten: 300 s, IEEE 802.1Q's default.
    pub age: Duration,
    /// A flow that carries nothing for so long goes: 60 s.
    pub idle_timeout_s: u16,
    /// A flow goes after so long in any case: 150 s, half of `age`. Its packets then come to the controller once, which
    /// keeps the addresses of busy hosts fresh.
    pub hard_timeout_s: u16,
    /// Priority of the flows within the app's band.
    pub priority: u16,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_macs: 1_000_000,
            age: Duration::from_secs(300),
            idle_timeout_s: 60,
            hard_timeout_s: 150,
            priority: 10,
        }
    }
}

/// Moves within [`LOOP_WINDOW_MS`] beyond which a loop is suspected.
const LOOP_MOVES: u8 = 5;
/// The second in which moves are counted, in milliseconds.
const LOOP_WINDOW_MS: u32 = 1_000;
/// How long the floods of a suspect, and flows from it and to it, are held back, in milliseconds.
const LOOP_HOLD_MS: u32 = 5_000;

/// The app: one table per switch.
#[derive(Debug, Default)]
pub struct LearningSwitch {
    settings: Settings,
    /// By [`Dp::index`].
    switches: Vec<Option<Macs>>,
    /// Addresses in all tables together.
    learnt: usize,
    /// Which table [`App::tick`] sweeps next.
    sweep: usize,
    /// When a full table was last swept to make room.
    made_room: Instant,
    /// It was said that the tables are full.
    said_full: bool,
}

impl LearningSwitch {
    /// With other settings than the default ones.
    pub fn new(settings: Settings) -> LearningSwitch {
        LearningSwitch { settings, ..LearningSwitch::default() }
    }

    /// Addresses that are known, over all switches of this core.
    pub fn learnt(&self) -> usize {
        self.learnt
    }
}

impl App for LearningSwitch {
    /// A switch may keep flows from before that fit its hosts no more. Start clean: only our own flows go.
    fn datapath_up(&mut self, dp: &mut Dp<'_>) {
        dp.delete_own_flows();
        let seed = dp.random();
        if self.switches.len() <= dp.index() {
            self.switches.resize_with(dp.index() + 1, || None);
        }
        self.switches[dp.index()] = Some(Macs::seeded(seed));
    }

    fn datapath_down(&mut self, dp: &mut Dp<'_>) {
        if let Some(macs) = self.switches.get_mut(dp.index()).and_then(Option::take) {
            self.learnt -= macs.table.len();
        }
    }

    #[inline]
    fn packet_in(&mut self, dp: &mut Dp<'_>, packet: &PacketIn<'_>) -> Next {
        let Ok(eth) = packet.ethernet() else { return Next::Continue };
        let (src, dst) = (eth.src(), eth.dst());
        // Spanning tree, LLDP and the like are between two bridges; other apps may want them.
        if dst.is_link_local() {
            return Next::Continue;
        }
        let now = Clock::at(dp.now());

        // Group addresses are never learnt: nobody sends from one, so such a source is a lie.
        let mut suspect = false;
        if src.is_unicast() {
            match self.learn(dp, &eth, packet.in_port(), now) {
                Learnt::Known => {}
                Learnt::Full => dp.count_table_full(),
                Learnt::Moved => forget_flows_of(dp, &eth, src),
                Learnt::Looping { first } => {
                    suspect = true;
                    forget_flows_of(dp, &eth, src);
                    if first {
                        tracing::warn!(
                            dpid = %dp.id(), mac = %src, port = %packet.in_port(),
                            "suspected loop: the address moves more than {LOOP_MOVES} times a second"
                        );
                    }
                }
                Learnt::Held => suspect = true,
            }
        }

        let to = if dst.is_group() { None } else { self.find(dp, &eth, dst, now) };
        match to {
            // The destination is where the packet came from: it has been delivered already.
            Some(to) if to.port == packet.in_port() => {
                dp.drop_packet(packet);
            }
            // A flow would carry its packets past us, from a port or to a port where it may not be any more.
            Some(to) if suspect || to.held => forward_once(dp, packet, to.port),
            Some(To { port: out, left_s, .. }) => {
                let flow = Flow::new(self.settings.priority)
                    .matching(Match::l2_of(&eth, packet.in_port()))
                    .output(out)
                    .idle_timeout_s(self.settings.idle_timeout_s)
                    // No flow outlives what it was made of: the address ages no earlier than its flows.
                    .hard_timeout_s(self.settings.hard_timeout_s.min(left_s));
                dp.add_and_forward(packet, &flow);
            }
            None if suspect => {
                dp.drop_packet(packet);
            }
            None => {
                dp.flood(packet);
            }
        }
        Next::Stop
    }

    /// Behind a port that is down there is nobody: forget the addresses, remove the flows to it and from it (who comes
    /// back there must be learnt anew).
    fn port_status(&mut self, dp: &mut Dp<'_>, status: &PortStatus) {
        if !status.is_down() {
            return;
        }
        let port = status.port.number;
        if let Some(macs) = self.switches.get_mut(dp.index()).and_then(Option::as_mut) {
            self.learnt -= macs.forget(|entry| entry.port == port);
        }
        dp.delete(Delete::towards(port));
        dp.delete(Match::new().in_port(port));
    }

    /// Once a second one switch's table is swept, so that no turn of the core takes long.
    fn tick(&mut self, cx: &mut Cx<'_>) {
        let now = Clock::at(cx.now());
        let age_s = self.age_s();
        self.sweep = (self.sweep + 1) % self.switches.len().max(1);
        if let Some(Some(macs)) = self.switches.get_mut(self.sweep) {
            self.learnt -= macs.forget(|entry| entry.left_s(now, age_s) == 0);
        }
    }
}

/// Sends a packet on without a flow for those that follow it.
#[cold]
fn forward_once(dp: &mut Dp<'_>, packet: &PacketIn<'_>, port: PortNo) {
    dp.forward(packet, &[Action::Output(port)]);
}

/// A host that moved: flows to its old port go, in its VLAN, and so do its own from there. Were those left, a host that
/// returns would be carried past us, and we would not learn where it is. An untagged and a priority-tagged packet are of
/// one VLAN, but two matches.
fn forget_flows_of(dp: &mut Dp<'_>, eth: &EthernetView<'_>, mac: MacAddr) {
    let vlan = VlanMatch::of(eth);
    let twin = match vlan {
        VlanMatch::Untagged => Some(VlanMatch::Id(0)),
        VlanMatch::Id(0) => Some(VlanMatch::Untagged),
        VlanMatch::Id(_) => None,
    };
    for vlan in std::iter::once(vlan).chain(twin) {
        dp.delete(Match::new().vlan(vlan).eth_dst(mac));
        dp.delete(Match::new().vlan(vlan).eth_src(mac));
    }
}

impl LearningSwitch {
    fn age_s(&self) -> u32 {
        self.settings.age.as_secs() as u32
    }

    #[inline]
    fn learn(&mut self, dp: &Dp<'_>, eth: &EthernetView<'_>, port: PortNo, now: Clock) -> Learnt {
        let Some(Some(macs)) = self.switches.get_mut(dp.index()) else { return Learnt::Full };
        let key = key(eth, eth.src());
        if let Some(entry) = macs.table.get_mut(&key) {
            return entry.seen_at(port, now);
        }
        if self.learnt >= self.settings.max_macs && !self.make_room(dp.now()) {
            return Learnt::Full;
        }
        let Some(Some(macs)) = self.switches.get_mut(dp.index()) else { return Learnt::Full };
        macs.table.insert(key, Entry::new(port, now));
        self.learnt += 1;
        Learnt::Known
    }

    /// Where an address is.
    #[inline]
    fn find(&self, dp: &Dp<'_>, eth: &EthernetView<'_>, mac: MacAddr, now: Clock) -> Option<To> {
        let entry = self.switches.get(dp.index())?.as_ref()?.table.get(&key(eth, mac))?;
        match entry.left_s(now, self.age_s()) {
            // A hard time-out of 0 would be a flow for ever.
            0 => None,
            left_s => Some(To {
                port: entry.port,
                left_s: left_s.min(u32::from(u16::MAX)) as u16,
                held: entry.is_held(now),
            }),
        }
    }

    /// At the bound new addresses are not learnt, and what is sent to them is flooded. What has aged makes room, looked
    /// for at most once a second.
    #[cold]
    fn make_room(&mut self, now: Instant) -> bool {
        if now.since(self.made_room) >= Duration::from_secs(1) {
            self.made_room = now;
            let (clock, age_s) = (Clock::at(now), self.age_s());
            for macs in self.switches.iter_mut().flatten() {
                self.learnt -= macs.forget(|entry| entry.left_s(clock, age_s) == 0);
            }
        }
        let full = self.learnt >= self.settings.max_macs;
        if full && !self.said_full {
            tracing::warn!(
                max = self.settings.max_macs,
                "the table of addresses is full: new ones are not learnt"
            );
        }
        self.said_full = full;
        !full
    }
}

/// One switch's addresses.
#[derive(Debug)]
struct Macs {
    /// By VLAN and address in one number; the hash is seeded, since addresses are chosen by others.
    table: HashMap<u64, Entry, FixedState>,
}

impl Macs {
    fn seeded(seed: u64) -> Macs {
        Macs { table: HashMap::with_hasher(FixedState::with_seed(seed)) }
    }

    /// Forgets some addresses; how many.
    fn forget(&mut self, which: impl Fn(&Entry) -> bool) -> usize {
        let before = self.table.len();
        self.table.retain(|_, entry| !which(entry));
        before - self.table.len()
    }
}

/// The VLAN in the upper 16 bits (0 for none), the address in the lower 48.
#[inline]
fn key(eth: &EthernetView<'_>, mac: MacAddr) -> u64 {
    let vid = eth.vlan().map_or(0, |tag| tag.vid);
    u64::from(vid) << 48 | mac.to_u64()
}

/// The time in the units that entries keep.
#[derive(Debug, Clone, Copy)]
struct Clock {
    s: u32,
    /// Wraps after 49 days; only ever subtracted from a later one.
    ms: u32,
}

impl Clock {
    #[inline]
    fn at(now: Instant) -> Clock {
        let ms = now.as_millis();
        Clock { s: (ms / 1000) as u32, ms: ms as u32 }
    }
}

/// Where an address is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    port: PortNo,
    /// When it last sent something that came to us.
    seen_s: u32,
    /// When the first of the moves that are counted was, or when a loop was suspected.
    since_ms: u32,
    moves: u8,
    suspect: bool,
    /// A loop was suspected and said.
    said: bool,
}

/// Where a destination is.
#[derive(Debug, Clone, Copy)]
struct To {
    port: PortNo,
    /// For how many seconds that holds at least.
    left_s: u16,
    /// It was suspected of a loop a moment ago.
    held: bool,
}

/// What a packet's source taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learnt {
    /// It is where it was, or is new.
    Known,
    /// It was behind another port.
    Moved,
    /// It moves too often to be true, as of now.
    Looping { first: bool },
    /// It did a moment ago.
    Held,
    /// There is no room for it.
    Full,
}

impl Entry {
    fn new(port: PortNo, now: Clock) -> Entry {
        Entry { port, seen_s: now.s, since_ms: now.ms, moves: 0, suspect: false, said: false }
    }

    #[inline]
    fn seen_at(&mut self, port: PortNo, now: Clock) -> Learnt {
        self.seen_s = now.s;
        if self.suspect {
            if self.is_held(now) {
                // There are no flows to forget: it is followed, so that it is reached where it settles.
                self.port = port;
                return Learnt::Held;
            }
            self.suspect = false;
            self.moves = 0;
        }
        if self.port == port { Learnt::Known } else { self.moved(port, now) }
    }

    #[inline]
    fn is_held(&self, now: Clock) -> bool {
        self.suspect && now.ms.wrapping_sub(self.since_ms) < LOOP_HOLD_MS
    }

    #[cold]
    fn moved(&mut self, port: PortNo, now: Clock) -> Learnt {
        self.port = port;
        if self.moves == 0 || now.ms.wrapping_sub(self.since_ms) >= LOOP_WINDOW_MS {
            self.moves = 0;
            self.since_ms = now.ms;
        }
        self.moves += 1;
        if self.moves <= LOOP_MOVES {
            return Learnt::Moved;
        }
        self.suspect = true;
        self.since_ms = now.ms;
        let first = !std::mem::replace(&mut self.said, true);
        Learnt::Looping { first }
    }

    /// Seconds until it is forgotten.
    #[inline]
    fn left_s(&self, now: Clock, age_s: u32) -> u32 {
        (self.seen_s.saturating_add(age_s)).saturating_sub(now.s)
    }
}
