use std::net::SocketAddr;

use super::*;

/// The SO_ERROR of a socket that was refused is what `connect` found: through the table, as C would call it.
#[test]
fn the_table_works_as_c_sees_it() {
    let mut table = std::mem::MaybeUninit::<Interface>::uninit();
    let flags = c"local_ip=192.168.0.9";
    // SAFETY: a C string and a writable table.
    let table = unsafe {
        packetdrill_interface_init(flags.as_ptr(), table.as_mut_ptr());
        table.assume_init()
    };
    let to: SocketAddr = ([192, 0, 2, 1], 80).into();
    let (mut storage, mut len) = ([0u64; 4], 32);
    // SAFETY: all pointers are to live values of the lengths that are given.
    unsafe {
        address::write(to, storage.as_mut_ptr().cast(), &mut len);
        let fd = (table.socket)(table.userdata, libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0);
        assert!(fd >= 0);
        assert_eq!((table.connect)(table.userdata, fd, storage.as_ptr().cast(), len), -1);
        assert_eq!(*libc::__errno_location(), libc::EINPROGRESS);
        let (mut packet, mut n, mut at) = ([0u8; 1500], 1500, 0);
        assert_eq!((table.netdev_receive)(table.userdata, packet.as_mut_ptr().cast(), &mut n, &mut at), 0);
        assert_eq!((packet[0] >> 4, packet[9], packet[33]), (4, 6, 2), "a SYN in IPv4");
        let mut now = timeval { tv_sec: 0, tv_usec: 0 };
        (table.gettimeofday)(table.userdata, &mut now, std::ptr::null_mut());
        assert!(now.tv_sec * 1_000_000 + now.tv_usec > at);
        let mut entry = pollfd { fd, events: libc::POLLOUT, revents: 0 };
        assert_eq!((table.poll)(table.userdata, &mut entry, 1, 10), 0, "nothing within 10 ms");
        assert_eq!((table.close)(table.userdata, fd), 0);
        assert_eq!((table.close)(table.userdata, fd), -1);
        assert_eq!(*libc::__errno_location(), libc::EBADF);
        (table.free)(table.userdata);
    }
}
