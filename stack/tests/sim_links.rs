//! How well the stack uses a link: virtual time makes it the same on every machine.

use std::time::Duration;

use ferroflow_stack::sim::stream::{Ending, Mix, Open, Streams};
use ferroflow_stack::sim::{LinkConfig, NodeId, SimNet, SimPortConfig};
use ferroflow_stack::{Instant, Listen};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Streams of nearly `bytes`, written as fast as the ring takes them.
fn bulk(bytes: u64) -> Mix {
    Mix {
        bytes,
        chunk: 60_000,
        write_pause: Duration::ZERO,
        read_pause: Duration::ZERO,
        stall: Duration::ZERO,
        endings: vec![Ending::Shutdown],
    }
}

fn silent() -> Mix {
    Mix { bytes: 0, ..bulk(0) }
}

/// A client that sends much to a server that sends next to nothing.
struct Transfer {
    net: SimNet<Streams>,
    client: NodeId,
    server: NodeId,
    began: Instant,
}

impl Transfer {
    fn new(link: LinkConfig, bytes: u64, seed: u64) -> Transfer {
        let mut net = SimNet::new(seed);
        net.watch();
        let server = net.add_host(link, Streams::server(Listen::on(80), silent(), seed));
        let began = Instant::from_millis(10);
        let open = Open { at: began, to: net.socket(server, 80), from_port: 0 };
        let client = net.add_host(link, Streams::new(Vec::new(), vec![open], bulk(bytes), seed));
        Transfer { net, client, server, began }
    }

    /// Runs to the end; returns bytes transferred and bytes per second.
    fn run(&mut self) -> (u64, f64) {
        let (client, server) = (self.client, self.server);
        self.net
            .run_until(Instant::from_secs(3600), |net| {
                net.host(client).service().is_done() && net.host(server).service().is_done()
            })
            .unwrap();
        for host in [client, server] {
            assert_eq!(self.net.host(host).service().violations(), &[] as &[String]);
        }
        assert_eq!(self.net.broken_rules(), &[] as &[String]);
        let record = &self.net.host(server).service().records()[0];
        assert_eq!(record.end, Ok(ferroflow_stack::CloseReason::Finished));
        let seconds = record.at.since(self.began).as_secs_f64();
        (record.read, record.read as f64 / seconds)
    }

    fn retransmitted(&self) -> u64 {
        self.net.host(self.client).counters().tcp_retransmitted
            + self.net.host(self.server).counters().tcp_retransmitted
    }
}

/// Rates of the first few seeds whose stream turned out long, in bytes per second, sorted.
fn rates(link: LinkConfig, bytes: u64) -> Vec<f64> {
    let mut rates = Vec::new();
    for seed in 0..100 {
        let (read, rate) = Transfer::new(link, bytes, seed).run();
        if read > bytes / 2 {
            rates.push(rate);
        }
        if rates.len() == 8 {
            break;
        }
    }
    rates.sort_by(f64::total_cmp);
    rates
}

fn median(rates: &[f64]) -> f64 {
    rates[rates.len() / 2]
}

#[test]
fn nothing_is_sent_twice_over_a_clean_link() {
    for delay_ms in [0, 1, 20, 150] {
        let link = LinkConfig { delay: ms(delay_ms), jitter: ms(delay_ms / 4), ..LinkConfig::default() };
        for seed in 0..10 {
            let mut transfer = Transfer::new(link, 2_000_000, seed);
            transfer.run();
            assert_eq!(transfer.retransmitted(), 0, "{delay_ms} ms, seed {seed}");
        }
    }
}

/// Slow start overruns the queue and loses a hundred segments at once; NewReno without SACK needs a time-out to repair that,
/// and no more.
#[test]
fn a_link_of_20_mbit_is_filled() {
    let link = LinkConfig {
        delay: ms(10),
        bits_per_second: Some(20_000_000),
        queue_bytes: 100_000,
        ..LinkConfig::default()
    };
    let rate = median(&rates(link, 8_000_000)) * 8.0 / 20e6;
    assert!(rate > 0.70, "only {:.0}% of the link are used", rate * 100.0);
}

/// NewReno cannot do better than about MSS/RTT * 1.22/sqrt(p) (RFC 5348 3.1 without time-outs); a stack that waits for time-outs
/// is far below it.
#[test]
fn loss_costs_what_it_must_and_not_much_more() {
    let mut table = Vec::new();
    for (loss, share) in [(0.001, 0.5), (0.01, 0.5), (0.03, 0.35), (0.1, 0.1)] {
        let link = LinkConfig { delay: ms(10), loss, ..LinkConfig::default() };
        let rate = median(&rates(link, 3_000_000));
        // Loss hits segments and acknowledgements; the latter cost little. Window 512 KiB over 20 ms is the other bound.
        let model = (1448.0 / 0.020 * 1.22 / f64::sqrt(loss)).min(512.0 * 1024.0 / 0.020);
        eprintln!("loss {:5.1}%: {:8.0} kB/s, model {:8.0} kB/s", loss * 100.0, rate / 1e3, model / 1e3);
        table.push((loss, rate, model, share));
    }
    for (loss, rate, model, share) in table {
        assert!(rate > share * model, "loss {loss}: {rate:.0} B/s of {model:.0}");
    }
}

/// Reordering by less than a round trip is not loss, but three duplicates look like it (RFC 5681): some are resent,
/// and the transfer must not collapse.
#[test]
fn reordering_alone_does_not_stall() {
    let link = LinkConfig { delay: ms(10), reorder: 0.05, reorder_by: ms(3), ..LinkConfig::default() };
    let rate = median(&rates(link, 3_000_000));
    assert!(rate > 300_000.0, "{rate:.0} B/s");
}

#[test]
fn a_net_at_rest_stays_silent() {
    let mut net = SimNet::new(7);
    let link = LinkConfig::default();
    let server = net.add_host(link, Streams::server(Listen::on(80), bulk(1000), 1));
    let to = net.socket(server, 80);
    let mut mix = bulk(1000);
    mix.endings = vec![Ending::AfterPeer];
    let client = net.add_host(link, Streams::client(vec![(Instant::from_millis(1), to)], mix, 2));
    net.run_to_silence(Instant::from_secs(3600)).unwrap();
    assert!(net.host(client).service().is_done() && net.host(server).service().is_done());
    let (frames, turns) = (net.frames(), net.turns());
    net.run_for(Duration::from_secs(86_400)).unwrap();
    assert_eq!((net.frames(), net.turns()), (frames, turns));
}

/// A storm of connections to one listener over small ports and a loss of 5%: all come through.
#[test]
fn a_thousand_connections_at_once() {
    let mut net = SimNet::new(3);
    net.watch();
    let link = LinkConfig { delay: ms(5), loss: 0.05, ..LinkConfig::default() };
    let port = SimPortConfig { frames: 32, rx_queue: 4096, ..SimPortConfig::default() };
    let config = net.next_config();
    let mix = Mix { bytes: 3000, ..Mix::orderly() };
    let server = net.add_host_with(config, port, link, Streams::server(Listen::on(80), mix.clone(), 1));
    let to = net.socket(server, 80);
    let opens = (0..1000).map(|n| (Instant::from_micros(10 * n), to)).collect();
    let client = net.add_host(link, Streams::client(opens, mix, 2));
    net.run_until(Instant::from_secs(600), |net| {
        net.host(client).service().is_done() && net.host(server).service().is_done()
    })
    .unwrap();
    let finished = |node| {
        let records = net.host(node).service().records();
        records.iter().filter(|r| r.end == Ok(ferroflow_stack::CloseReason::Finished)).count()
    };
    assert_eq!((finished(client), finished(server)), (1000, 1000));
    assert_eq!(net.broken_rules(), &[] as &[String]);
}
