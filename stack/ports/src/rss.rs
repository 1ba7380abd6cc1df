//! The receive hash of a card (RSS): whose key and whose table of queues the cores follow, and how a card is given others.

use std::fmt;
use std::str::FromStr;

use ferroflow_stack::steer::{DEFAULT_KEY, KEY_LEN, Key, NamedKey, Spread};

use crate::ethtool;
use crate::interfaces::{self, Rss};
use crate::link::{Link, LinkError};

/// Bytes of a key that matter: twelve of addresses and ports, and the four that the last of them reaches to.
const MATTERS: usize = 16;
/// Most entries of a table that are believed; cards have 128 to 4096.
const TABLE_MAX: usize = 1 << 16;

/// Which key the hash has that spreads connections over the cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RssKey {
    /// The card's own, where it has one; else Microsoft's.
    #[default]
    Auto,
    /// This one. A card that has another brings frames to other cores than their own, which hand them over.
    Is(Key),
    /// This one, and the card is given it, and a table with its queues in turn.
    Set(Key),
}

impl RssKey {
    /// The key where there is no card.
    pub const fn without_card(self) -> Key {
        match self {
            RssKey::Auto => DEFAULT_KEY,
            RssKey::Is(key) | RssKey::Set(key) => key,
        }
    }
}

/// What is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key: use `auto` (the card's own), or `microsoft`, `symmetric` or the 40 bytes that `ethtool -x` shows \
     (6d:5a:56:...), with `set:` before it to give the card that key"
)]
pub struct BadRssKey(String);

impl FromStr for RssKey {
    type Err = BadRssKey;

    fn from_str(text: &str) -> Result<RssKey, BadRssKey> {
        let key = |of: &str| of.parse().map(|NamedKey(key)| key).map_err(|_| BadRssKey(text.to_owned()));
        match text.strip_prefix("set:") {
            _ if text == "auto" => Ok(RssKey::Auto),
            Some(of) => key(of).map(RssKey::Set),
            None => key(text).map(RssKey::Is),
        }
    }
}

impl fmt::Display for RssKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, key) = match self {
            RssKey::Auto => return f.write_str("auto"),
            RssKey::Is(key) => ("", key),
            RssKey::Set(key) => ("set:", key),
        };
        f.write_str(before)?;
        (0..KEY_LEN).try_for_each(|i| write!(f, "{}{:02x}", if i > 0 { ":" } else { "" }, key[i]))
    }
}

/// How `cores` cores, to which the first `queues` queues of a card are shared out in turn, are to spread connections; and what
/// the operator should know. The card is changed first if that is asked for.
pub(crate) fn of_card(
    link: &Link,
    choice: RssKey,
    cores: usize,
    queues: u32,
) -> Result<(Spread, Option<String>), LinkError> {
    let index = link.index()?;
    if let RssKey::Set(key) = choice {
        let has = interfaces::rss(index).unwrap_or_default();
        ethtool::set_rss(
            link,
            &has,
            &table_in_turn(queues, has.table.len()),
            &stretched(&key, has.key.len()),
        )?;
    }
    Ok(spread(link.name(), interfaces::rss(index).as_ref(), choice, cores, queues))
}

/// The queues in turn, as a card of that many entries has them by default.
fn table_in_turn(queues: u32, entries: usize) -> Vec<u32> {
    (0..queues.max(1)).cycle().take(entries).collect()
}

/// A key for a card whose keys have another length: only its beginning matters here.
fn stretched(key: &Key, len: usize) -> Vec<u8> {
    key.iter().copied().cycle().take(len).collect()
}

/// What [`of_card`] makes of what the card says.
fn spread(
    name: &str,
    card: Option<&Rss>,
    choice: RssKey,
    cores: usize,
    queues: u32,
) -> (Spread, Option<String>) {
    let cards = card.filter(|card| card.toeplitz).and_then(|card| known_key(&card.key));
    let key = match (choice, cards) {
        (RssKey::Auto, Some(key)) => key,
        _ => choice.without_card(),
    };
    let agrees = cards.is_some_and(|cards| cards[..MATTERS] == key[..MATTERS]);
    let table = match card {
        Some(card) if agrees && reaches_all(&card.table, cores, queues) => card.table.clone(),
        _ => Vec::new(),
    };
    let warning = match card {
        _ if cores == 1 => None,
        None => None,
        Some(card) if !card.toeplitz => Some(format!(
            "{name} does not hash as Toeplitz, so that frames are handed from core to core (ethtool -X {name} hfunc toeplitz)"
        )),
        Some(_) if !agrees => Some(format!(
            "{name} hashes by another key, so that frames are handed from core to core (--rss-key auto takes its key, and \
             --rss-key set:KEY gives it one)"
        )),
        Some(_) => None,
    };
    (Spread { key, table }, warning)
}

/// Whether a card's table brings something to every core. By any other some would have no connection, and could open none.
fn reaches_all(table: &[u32], cores: usize, queues: u32) -> bool {
    let reached = |core| table.iter().any(|&queue| queue as usize % cores == core);
    queues as usize >= cores && table.len() <= TABLE_MAX && (0..cores).all(reached)
}

/// The beginning of a card's key, if it is long enough to be computed with.
fn known_key(bytes: &[u8]) -> Option<Key> {
    let mut key = [0; KEY_LEN];
    let len = bytes.len().min(KEY_LEN);
    key[..len].copy_from_slice(&bytes[..len]);
    (len >= MATTERS).then_some(key)
}

#[cfg(test)]
mod tests {
    use ferroflow_stack::steer::SYMMETRIC_KEY;

    use super::*;

    fn card(key: &[u8], table: &[u32]) -> Rss {
        Rss { toeplitz: true, key: key.to_vec(), table: table.to_vec() }
    }

    #[test]
    fn keys_are_read_and_written() {
        for (text, key) in [
            ("auto", RssKey::Auto),
            ("microsoft", RssKey::Is(DEFAULT_KEY)),
            ("set:symmetric", RssKey::Set(SYMMETRIC_KEY)),
        ] {
            assert_eq!(text.parse(), Ok(key));
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for wrong in ["", "set:", "set:auto", "6d:5a", "set:set:microsoft"] {
            assert!(wrong.parse::<RssKey>().is_err(), "{wrong}");
        }
    }

    /// The card's own key and table are followed unless something else is said: F-Stack #703 and Seastar #1149 computed by a key
    /// that the card did not have, Seastar #291 is about cards whose table leaves queues out.
    #[test]
    fn the_cards_key_and_table_are_followed() {
        let its = [7; 52];
        let (spread, warning) = spread("eth0", Some(&card(&its, &[0, 1, 1, 0])), RssKey::Auto, 2, 2);
        assert_eq!((spread.key, spread.table, warning), ([7; KEY_LEN], vec![0, 1, 1, 0], None));
    }

    #[test]
    fn another_key_than_the_cards_is_named_and_its_table_means_nothing() {
        let is = RssKey::Is(SYMMETRIC_KEY);
        let (spread, warning) = spread("eth0", Some(&card(&DEFAULT_KEY, &[1, 0])), is, 2, 2);
        assert_eq!(spread, Spread { key: SYMMETRIC_KEY, table: Vec::new() });
        assert!(warning.is_some_and(|text| text.contains("--rss-key auto")));
    }

    /// Seastar #654: more cores than queues. All cores are to have connections.
    #[test]
    fn with_fewer_queues_than_cores_connections_go_to_all_cores() {
        let (spread, warning) = spread("eth0", Some(&card(&DEFAULT_KEY, &[0, 1])), RssKey::Auto, 4, 2);
        assert_eq!((spread, warning), (Spread::default(), None));
    }

    /// Seastar #291: so does a table that leaves queues out.
    #[test]
    fn a_table_that_leaves_a_core_out_is_not_followed() {
        for table in [[0, 2, 4, 2], [1, 1, 3, 3]] {
            let (spread, _) = spread("eth0", Some(&card(&DEFAULT_KEY, &table)), RssKey::Auto, 2, 6);
            assert_eq!(spread, Spread::default());
        }
    }

    /// F-Stack #150: a card with a key and without a table; and one without either.
    #[test]
    fn what_a_card_does_not_tell_is_as_cards_have_it() {
        let (of_key, warning) = spread("eth0", Some(&card(&[9; 40], &[])), RssKey::Auto, 2, 2);
        assert_eq!((of_key, warning), (Spread { key: [9; 40], table: Vec::new() }, None));
        assert_eq!(spread("ff0", None, RssKey::Auto, 2, 2), (Spread::default(), None));
        let (short, warning) = spread("eth0", Some(&card(&[9; 15], &[0, 1])), RssKey::Auto, 2, 2);
        assert!(short == Spread::default() && warning.is_some());
    }

    #[test]
    fn a_card_that_does_not_hash_as_toeplitz_is_named() {
        let other = Rss { toeplitz: false, ..card(&DEFAULT_KEY, &[1, 0]) };
        let (spread, warning) = spread("eth0", Some(&other), RssKey::Auto, 2, 2);
        assert_eq!(spread, Spread::default());
        assert!(warning.is_some_and(|text| text.contains("ethtool -X eth0 hfunc toeplitz")));
    }

    #[test]
    fn one_core_needs_to_know_nothing() {
        let other = Rss { toeplitz: false, ..Rss::default() };
        assert_eq!(spread("eth0", Some(&other), RssKey::Auto, 1, 1).1, None);
    }

    #[test]
    fn a_card_is_given_what_it_has_room_for() {
        assert_eq!(table_in_turn(3, 8), [0, 1, 2, 0, 1, 2, 0, 1]);
        assert!(table_in_turn(3, 0).is_empty());
        assert_eq!(stretched(&DEFAULT_KEY, 40), DEFAULT_KEY);
        assert_eq!(stretched(&SYMMETRIC_KEY, 52), [0x6d, 0x5a].repeat(26));
    }
}
