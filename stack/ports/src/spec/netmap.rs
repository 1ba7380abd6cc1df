//! Names of netmap's ports, as netmap(4) and libnetmap have them, without the prefix `netmap:`.

/// The most bytes of a name for the module, with its end (`NETMAP_REQ_IFNAMSIZ` of net/netmap.h).
pub(crate) const NAME_LEN: usize = 64;

/// What begins a switch's name (`NM_BDG_NAME`).
const VALE: &str = "vale";

/// Which port, and which of its rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetmapName {
    /// What the module knows it by.
    pub base: String,
    pub kind: NetmapKind,
    pub rings: NetmapRings,
}

/// What kind of port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetmapKind {
    /// An interface of the kernel: `eth0`.
    Interface,
    /// A port of a VALE switch: `vale0:1`. The module makes both.
    Vale,
    /// An end of a pipe: `NAME{1` or `NAME}1`. The module makes it.
    Pipe,
}

/// Which of its rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetmapRings {
    /// All that carry the port's frames, shared out to the cores.
    All,
    /// One pair of them: `eth0-1`.
    One(u16),
    /// Those to and from the kernel's own stack: `eth0^`.
    Host,
}

impl NetmapName {
    /// Reads a name. The error says what is wrong.
    pub fn parse(text: &str) -> Result<NetmapName, String> {
        let end = text.find(['-', '*', '^', '/', '@']).unwrap_or(text.len());
        let (base, suffix) = text.split_at(end);
        let kind = kind(base)?;
        let rings = match suffix.as_bytes() {
            [] => NetmapRings::All,
            [b'^'] if kind == NetmapKind::Interface => NetmapRings::Host,
            [b'^'] => return Err("only interfaces have rings of the kernel's stack".to_owned()),
            [b'-', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                let number = suffix[1..].parse().map_err(|_| format!("there is no ring {}", &suffix[1..]))?;
                NetmapRings::One(number)
            }
            _ => {
                return Err(format!(
                    "{suffix:?} behind the name is not understood: nothing, -N (one pair of rings) or ^ (the kernel's own)"
                ));
            }
        };
        Ok(NetmapName { base: base.to_owned(), kind, rings })
    }
}

fn kind(base: &str) -> Result<NetmapKind, String> {
    let identifier = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if base.is_empty() || base.len() >= NAME_LEN || !base.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("a name of 1 to {} characters is wanted, without spaces", NAME_LEN - 1));
    }
    if let Some((of, pipe)) = base.split_once(['{', '}']) {
        return match identifier(pipe) && !of.is_empty() {
            true => Ok(NetmapKind::Pipe),
            false => Err("a pipe is NAME{ID or NAME}ID, for example x{1 and x}1 for its ends".to_owned()),
        };
    }
    match base.split_once(':') {
        None if super::is_interface_name(base) => Ok(NetmapKind::Interface),
        None => Err(format!("{base:?} is no name for an interface")),
        Some((switch, port)) => {
            let id = switch.strip_prefix(VALE).filter(|id| id.is_empty() || identifier(id));
            match id {
                Some(_) if !port.is_empty() && !port.contains(':') => Ok(NetmapKind::Vale),
                _ => Err("with a colon it is a port of a VALE switch, for example vale0:1".to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_libnetmap_reads_them() {
        use NetmapKind::{Interface, Pipe, Vale};
        use NetmapRings::{All, Host, One};
        for (text, base, kind, rings) in [
            ("eth0", "eth0", Interface, All),
            ("eth0-3", "eth0", Interface, One(3)),
            ("eth0^", "eth0", Interface, Host),
            ("vale0:1", "vale0:1", Vale, All),
            ("vale:a", "vale:a", Vale, All),
            ("vale_x:port-2", "vale_x:port", Vale, One(2)),
            ("x{1", "x{1", Pipe, All),
            ("eth0}ab_1", "eth0}ab_1", Pipe, All),
            ("vale0:1{2-1", "vale0:1{2", Pipe, One(1)),
        ] {
            let read = NetmapName { base: base.to_owned(), kind, rings };
            assert_eq!(NetmapName::parse(text), Ok(read), "{text}");
        }
        let long = "x".repeat(64) + "{1";
        for wrong in [
            "",
            "^",
            "-1",
            "eth0-",
            "eth0-x",
            "eth0-70000",
            "eth0*",
            "eth0/x",
            "eth0@2",
            "x{",
            "{1",
            "x{a:b",
            "eth:1",
        ] {
            assert!(NetmapName::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "valé:1",
            "vale0:",
            "vale0:1:2",
            "vale.0:1",
            "vale0:1^",
            "x{1^",
            "a b",
            &long,
            "0123456789abcdef",
        ] {
            assert!(NetmapName::parse(wrong).is_err(), "{wrong}");
        }
    }
}
