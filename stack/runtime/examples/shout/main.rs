//! One server written twice: as callbacks, and as a program for sockets and epoll. Both run on the stack over TAP and on the
//! kernel's sockets, and answer the same. `tests/shout.rs` holds them to that.
//!
//!     cargo run --release -p ferroflow-runtime --example shout -- --way sockets --port kernel --listen 7007
//!     cargo run --release -p ferroflow-runtime --example shout -- --way callbacks --port tap:ff0 --listen 7007
//!     printf hello | nc -N 127.0.0.1 7007
//!
//! On TAP it answers at 10.77.0.2, and the kernel's side is 10.77.0.1.

mod callbacks;
mod sockets;

use std::error::Error;
use std::net::Ipv4Addr;

use ferroflow_ports::{PortKind, PortSpec, Wanted};
use ferroflow_runtime::kernel::ListenGroup;
use ferroflow_runtime::{Kernel, Options, PortEngine, Runtime, kernel};
use ferroflow_stack::sockets::{Hosted, Sockets};
use ferroflow_stack::{Config, Instance, Service};

/// Runs a service on one core until the process is killed.
fn serve<S: Service>(
    port: &PortSpec,
    service: impl FnOnce() -> S + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let mut service = Some(service);
    let runtime = match port.kind {
        PortKind::Kernel => Runtime::spawn(
            &Options::new(1),
            |core| {
                let (config, waker) = (kernel::Config::new(ListenGroup::new(), 1), core.waker.clone());
                let service = service.take();
                move || Ok(Kernel::new(config, waker, service.ok_or("one core")?())?)
            },
            |_| (),
        )?,
        _ => {
            let host_address = Some((Ipv4Addr::new(10, 77, 0, 1), 24));
            let mut opened = port.open(&Wanted { host_address, ..Wanted::new(1) })?;
            let mac = opened.mac.into();
            let mut queue = opened.ports.pop();
            Runtime::spawn(
                &Options::new(1),
                |core| {
                    let (waker, service, queue) = (core.waker.clone(), service.take(), queue.take());
                    move || {
                        let config = Config::new(mac, Ipv4Addr::new(10, 77, 0, 2), 24, getrandom::u64()?);
                        let (queue, service) = (queue.ok_or("one core")?, service.ok_or("one core")?);
                        Ok(PortEngine::new(Instance::new(config, queue, service()), waker)?)
                    }
                },
                |_| (),
            )?
        }
    };
    runtime.join()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut way, mut port, mut listen) = ("sockets".to_owned(), PortSpec::new(PortKind::Kernel), 7007);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--way" => way = value,
            "--port" => port = value.parse()?,
            "--listen" => listen = value.parse()?,
            _ => return Err(format!("{flag}? There are --way, --port and --listen").into()),
        }
    }
    match way.as_str() {
        "callbacks" => serve(&port, move || callbacks::Shout { port: listen }),
        "sockets" => serve(&port, move || Hosted::new(sockets::Shout::new(listen), Sockets::default())),
        _ => Err(format!("--way {way}? Use callbacks or sockets").into()),
    }
}
