use ferroflow_stack::steer::{Owner, Steer};
use proptest::prelude::*;

use super::*;

/// What the kernel's interpreter does with the instructions that are used here. `None` = it looked behind the end, for
/// which the kernel answers 0.
fn run(program: &[sock_filter], packet: &[u8], ethertype: u16) -> Option<u32> {
    let (mut a, mut x, mut memory, mut at) = (0u32, 0u32, [0u32; 16], 0usize);
    let bytes = |from: usize, n: usize| {
        packet.get(from..from + n).map(|b| b.iter().fold(0, |sum, &b| sum << 8 | u32::from(b)))
    };
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            c if c == BPF_LD | BPF_H | BPF_ABS && k == ETHERTYPE => a = ethertype.into(),
            c if c == BPF_LD | BPF_W | BPF_ABS => a = bytes(k as usize, 4)?,
            c if c == BPF_LD | BPF_H | BPF_ABS => a = bytes(k as usize, 2)?,
            c if c == BPF_LD | BPF_B | BPF_ABS => a = bytes(k as usize, 1)?,
            c if c == BPF_LD | BPF_W | BPF_IND => a = bytes((x + k) as usize, 4)?,
            c if c == BPF_LDX | BPF_B | BPF_MSH => x = 4 * (bytes(k as usize, 1)? & 0xf),
            c if c == BPF_LD | BPF_IMM => a = k,
            c if c == BPF_LD | BPF_MEM => a = memory[k as usize],
            c if c == BPF_ST => memory[k as usize] = a,
            c if c == BPF_ALU | BPF_XOR | BPF_K => a ^= k,
            c if c == BPF_ALU | BPF_AND | BPF_K => a &= k,
            c if c == BPF_ALU | BPF_MOD | BPF_K => a %= k,
            c if c == BPF_JMP | BPF_JEQ | BPF_K => at += usize::from(if a == k { jt } else { jf }),
            c if c == BPF_JMP | BPF_JSET | BPF_K => at += usize::from(if a & k != 0 { jt } else { jf }),
            c if c == BPF_RET | BPF_K => return Some(k),
            c if c == BPF_RET | 0x10 => return Some(a),
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// A frame with a TCP segment; `words` more in the IP header.
fn frame(addresses: [u8; 8], ports: [u8; 4], words: u8) -> Vec<u8> {
    let ip_len = 20 + usize::from(words) * 4;
    let mut frame = vec![0; 14 + ip_len + 20];
    frame[12..14].copy_from_slice(&[8, 0]);
    let ip = &mut frame[14..];
    ip[0] = 0x45 + words;
    ip[2..4].copy_from_slice(&(ip_len as u16 + 20).to_be_bytes());
    ip[8..10].copy_from_slice(&[64, 6]);
    ip[12..20].copy_from_slice(&addresses);
    ip[ip_len..ip_len + 4].copy_from_slice(&ports);
    ip[ip_len + 12] = 0x50;
    frame
}

#[test]
fn own_and_group_frames_are_accepted() {
    let mac = [2, 1, 2, 3, 4, 5];
    let program = accept(mac);
    let to = |mac: [u8; 6]| run(&program, &[&mac[..], &[0; 54]].concat(), 0x0800);
    assert_eq!(to(mac), Some(WHOLE));
    assert_eq!(to([0xff; 6]), Some(WHOLE));
    assert_eq!(to([1, 0, 0x5e, 0, 0, 1]), Some(WHOLE));
    for at in 0..6 {
        let mut other = mac;
        other[at] ^= 0x40;
        assert_eq!(to(other), Some(0), "{other:x?}");
    }
}

#[test]
fn what_is_no_whole_tcp_stays_with_the_first() {
    let program = owner(4, &steer::DEFAULT_KEY);
    let tcp = frame([10, 0, 0, 1, 10, 0, 0, 2], [9, 9, 9, 9], 0);
    assert_eq!(run(&program, &tcp[14..], 0x0806), Some(0), "ARP");
    let mut udp = tcp.clone();
    udp[14 + 9] = 17;
    assert_eq!(run(&program, &udp[14..], 0x0800), Some(0));
    for fragment in [[0x20, 0], [0, 1]] {
        let mut part = tcp.clone();
        part[14 + 6..14 + 8].copy_from_slice(&fragment);
        assert_eq!(run(&program, &part[14..], 0x0800), Some(0));
    }
    assert!(program.len() <= 4096, "BPF_MAXINSNS");
}

proptest! {
    #[test]
    fn the_program_and_the_stack_agree(
        addresses: [u8; 8], ports: [u8; 4], words in 0..=10u8, cores in 2..=64u16, key: [u8; KEY_LEN],
    ) {
        let frame = frame(addresses, ports, words);
        let core = run(&owner(cores, &key), &frame[14..], 0x0800).unwrap();
        prop_assert_eq!(Steer::with_key(core as u16, cores, &key).owner(&frame), Owner::Here);
    }
}
