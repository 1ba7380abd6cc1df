//! Random and mutated messages, in a size that the environment says.

/// A generator of SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n as u64) as usize
    }

    /// At most `most` bytes.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most + 1);
        (0..len.div_ceil(8)).flat_map(|_| self.number().to_be_bytes()).take(len).collect()
    }
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => otherwise,
    }
}

/// Calls `one`, which says how many bytes it tried, until it was as many as asked for.
pub fn run(mut one: impl FnMut(&mut Random) -> usize) {
    let (mib, seed) = (from_env("FERROFLOW_MUTATED_MIB", 4), from_env("FERROFLOW_MUTATED_SEED", 1));
    eprintln!("{mib} MiB of messages from FERROFLOW_MUTATED_SEED={seed}");
    let mut random = Random(seed);
    let (mut left, mut messages) = (mib << 20, 0_u64);
    while left > 0 {
        left = left.saturating_sub(one(&mut random) as u64);
        messages += 1;
    }
    eprintln!("{messages} messages");
}

/// A right header of a type below `types` around random bytes.
pub fn framed(random: &mut Random, version: u8, types: usize) -> Vec<u8> {
    let most = [64, 256, 2048][random.below(3)];
    let mut body = random.bytes(most);
    if random.below(2) == 0 {
        // Small numbers are types, lengths and counts more often.
        body.iter_mut().for_each(|byte| *byte &= 0x1f);
    }
    let length = (8 + body.len()) as u16;
    let mut bytes = vec![version, random.below(types) as u8];
    bytes.extend(length.to_be_bytes());
    bytes.extend((random.number() as u32).to_be_bytes());
    bytes.append(&mut body);
    bytes
}

/// Changes some bytes, or their number; the length in the header mostly follows.
pub fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at.max(8)),
            1 => {
                let more = random.bytes(16);
                bytes.splice(at..at, more);
            }
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = 0xff,
            4 => bytes[at] ^= 1 << random.below(8),
            _ => bytes[at] = random.number() as u8,
        }
    }
    if random.below(8) != 0 && bytes.len() >= 8 {
        let length = (bytes.len() as u16).to_be_bytes();
        bytes[2..4].copy_from_slice(&length);
    }
}
