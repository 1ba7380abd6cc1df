mod peers;
mod rules;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Wall};

use ferroflow_stack::port::{Burst, Port};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::*;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for a socket, gone with the value.
struct Place {
    _folder: TempDir,
    socket: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("port");
    Place { _folder: folder, socket }
}

/// Sends `bytes` if there is a buffer and room.
fn send(port: &mut ShmPort, bytes: &[u8]) -> bool {
    let Some(mut frame) = port.alloc(bytes.len()) else { return false };
    port.bytes_mut(&mut frame).copy_from_slice(bytes);
    let mut burst = Burst::new(1);
    burst.push(frame).unwrap();
    let sent = port.tx(&mut burst) == 1;
    port.sync().unwrap();
    if let Some(frame) = burst.pop() {
        port.release(frame);
    }
    sent
}

/// Takes what has come.
fn receive(port: &mut ShmPort) -> Vec<Vec<u8>> {
    let mut burst = Burst::new(32);
    port.rx(&mut burst);
    let mut frames = Vec::new();
    while let Some(frame) = burst.pop() {
        frames.push(port.bytes(&frame).to_vec());
        port.release(frame);
    }
    port.sync().unwrap();
    frames
}

/// Sleeps as a core does. Whether it was woken within `limit` (or need not sleep).
fn rest(port: &mut ShmPort, limit: Duration) -> bool {
    if !port.prepare_wait() {
        return true;
    }
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
    let (fd, _) = port.wait().unwrap();
    poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&limit)).unwrap() == 1
}

/// Turns without frames until `done`.
#[track_caller]
fn until(port: &mut ShmPort, done: impl Fn(&ShmPort) -> bool) {
    let limit = Wall::now() + PATIENCE;
    while !done(port) {
        receive(port);
        rest(port, Duration::from_millis(100));
        assert!(Wall::now() < limit, "{:?}", port.counters());
    }
}

fn one(ports: Result<Vec<ShmPort>, ShmError>) -> ShmPort {
    let mut ports = ports.unwrap();
    assert_eq!(ports.len(), 1);
    ports.remove(0)
}

/// Another process with the other end, killed with the value.
struct Peer(Child);

const ROLE: &str = "FERROFLOW_SHM_PEER";
const SOCKET: &str = "FERROFLOW_SHM_SOCKET";

impl Peer {
    fn start(role: &str, socket: &Path) -> Peer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "shm::tests::peers::another_process", "--nocapture"]);
        command.env(ROLE, role).env(SOCKET, socket).stdout(Stdio::null());
        Peer(command.process_group(0).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
