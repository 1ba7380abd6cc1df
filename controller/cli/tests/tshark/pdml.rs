//! What `tshark -T pdml` says of a packet: one field a line.

/// A field of a packet as tshark shows it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    pub name: String,
    /// The value with its label, and in front the bits that it has of its bytes: `0000 100. = Field: .. (4)`.
    pub showname: String,
    /// The value.
    pub show: String,
    /// The field's bytes in hex.
    pub value: String,
    /// Bytes from the start of the message.
    pub at: usize,
    pub size: usize,
    /// Other fields are inside it.
    pub is_tree: bool,
}

impl Field {
    /// The bits of its bytes, the first one of the first byte foremost, that it is about.
    pub fn bits(&self) -> Vec<usize> {
        let all = self.at * 8..(self.at + self.size) * 8;
        match self.showname.split_once(" = ") {
            Some((mask, _)) if mask.chars().all(|c| "01. ".contains(c)) => {
                let mask: Vec<char> = mask.chars().filter(|&c| c != ' ').collect();
                // Wide fields are shown with as many digits as they have bits.
                all.zip(mask).filter(|(_, c)| *c != '.').map(|(bit, _)| bit).collect()
            }
            _ => all.collect(),
        }
    }

    /// Whether its value is this number. Bytes whose meaning tshark does not know are shown in hex.
    pub fn is(&self, number: u64) -> bool {
        let bytes = self.show.replace(':', "");
        let is_bytes = bytes == self.value && u64::from_str_radix(&bytes, 16) == Ok(number);
        is_bytes || self.number() == Some(number)
    }

    /// The value as a number.
    pub fn number(&self) -> Option<u64> {
        match self.show.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None if self.show == "True" => Some(1),
            None if self.show == "False" => Some(0),
            None => self.show.parse().ok(),
        }
    }
}

/// A packet: the fields of its OpenFlow message, whose first byte is at offset `header` of the frame.
#[derive(Debug, Default)]
pub struct Packet {
    pub fields: Vec<Field>,
    /// tshark could not read it to its end.
    pub is_malformed: bool,
}

fn attribute(line: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let Some((_, rest)) = line.split_once(&start) else { return String::new() };
    let value = rest.split('"').next().unwrap_or_default();
    let mut text = value.to_owned();
    for (escape, c) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
        text = text.replace(escape, c);
    }
    text
}

/// The packets of a PDML document whose messages begin `header` bytes into their frames.
pub fn packets(document: &str, header: usize) -> Vec<Packet> {
    let mut packets: Vec<Packet> = Vec::new();
    let mut in_message = false;
    for line in document.lines().map(str::trim_start) {
        if line.starts_with("<packet>") {
            packets.push(Packet::default());
        }
        let Some(packet) = packets.last_mut() else { continue };
        packet.is_malformed |= line.contains("\"_ws.malformed");
        if line.starts_with("<proto ") {
            in_message = attribute(line, "name").starts_with("openflow");
        }
        if !line.starts_with("<field ") || !in_message {
            continue;
        }
        let name = attribute(line, "name");
        let number = |name| attribute(line, name).parse::<usize>().unwrap_or_default();
        let (pos, size) = (number("pos"), number("size"));
        if name.starts_with("openflow") && pos >= header && size > 0 {
            packet.fields.push(Field {
                name,
                showname: attribute(line, "showname"),
                show: attribute(line, "show"),
                value: attribute(line, "value"),
                at: pos - header,
                size,
                is_tree: !line.ends_with("/>"),
            });
        }
    }
    packets
}
