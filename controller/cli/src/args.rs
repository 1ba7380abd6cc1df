//! The command line's words.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ferroflow_ports::{GRAMMAR, PortSpec, RssKey, SpecError};
use ferroflow_runtime::processors::BadCpuList;
use ferroflow_runtime::{CpuList, Idle, Machine, Options, Pin};

use crate::run::User;

/// An OpenFlow controller on its own parallel user-space TCP/IP stack.
///
/// Switches connect to it by OpenFlow 1.0 or 1.3; its apps decide how packets are forwarded. Start with
/// `ferroflow demo`, which needs no rights, no network and no switch.
#[derive(Debug, Parser)]
#[command(name = "ferroflow", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to log: error, warn, info, debug or trace, or filters such as `ferroflow=debug` [default: info, or
    /// the environment variable FERROFLOW_LOG]
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<RunArgs>),
    Demo(DemoArgs),
    Doctor(DoctorArgs),
    Top(TopArgs),
    Decode(DecodeArgs),
    Encode(EncodeArgs),
}

/// Run a controller until it is told to stop (Ctrl-C or SIGTERM)
///
/// Where it has the rights it creates a TAP interface and answers on an address of its own, with its own TCP/IP
/// stack; otherwise it uses the kernel's sockets. The start-up lines say what to copy into Open vSwitch or Mininet.
///
/// On SIGUSR1 it writes its connections (as `ss -ti` would), listeners and counters to stderr.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  ferroflow run                                 a TAP interface if possible, else sockets
  ferroflow run --port kernel --listen 6653     the kernel's sockets, on all its addresses
  sudo ferroflow run --port tap:ff0 --cores 2   the own stack at 10.77.0.2, two cores
  sudo ferroflow run --port xdp:eth0            port 6653 of this host; all else stays the kernel's
  sudo ferroflow run --pcap ff.pcapng           what the own stack receives and sends, for Wireshark
  sudo ferroflow run --cpus 2-3 --idle spin     two cores on processors of their own, without sleep
  ferroflow top                                 what its cores do, live
  kill -USR1 $(pidof ferroflow)                 its connections, listeners and counters, on its stderr

Ports:
{GRAMMAR}"))]
pub(crate) struct RunArgs {
    /// Where packets come from: `tap:NAME` (the own stack on a TAP interface), `kernel` (the kernel's sockets) or another
    /// port of the list below; `auto`: TAP if possible, else the kernel's sockets
    #[arg(long, value_name = "PORT", default_value = "auto")]
    pub(crate) port: PortChoice,
    /// Take an interface although the kernel uses it and will lose what it hears there (`xdp:IFACE,own`)
    #[arg(long)]
    pub(crate) force: bool,
    /// The own stack's address and prefix length [default: 10.77.0.2/24; the interface's own where that is shared with the
    /// kernel (`xdp:IFACE`)]
    #[arg(long, value_name = "CIDR")]
    pub(crate) address: Option<Cidr>,
    /// The kernel's address on the TAP interface [default: the first address of the same network that is not --address]
    #[arg(long, value_name = "CIDR")]
    pub(crate) host_address: Option<Cidr>,
    /// TCP port to listen on; may be given several times [default: 6653 and 6633]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) listen: Vec<u16>,
    #[command(flatten)]
    pub(crate) cores: CoreArgs,
    /// App to run; may be given several times, packets pass them in this order [default: learning-switch]
    #[arg(long = "app", value_name = "NAME")]
    pub(crate) apps: Vec<String>,
    /// User to become once the ports are open, by name or number; for root
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<User>,
    /// Seconds of silence after which a switch counts as gone
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) echo_timeout: Duration,
    /// Where `ferroflow top` finds this controller: a Unix socket for its user alone, or `none` [default: control.sock in
    /// /run/ferroflow for root, in $XDG_RUNTIME_DIR/ferroflow for others, unless another controller has it]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<ControlSpec>,
    /// Write every frame of the own stack to this pcapng file, one interface for each core; `,snaplen=N` keeps the first
    /// N bytes of each. What the disk is too slow for is missing there, and counted
    #[arg(long, value_name = "FILE[,snaplen=N]")]
    pub(crate) pcap: Option<PcapSpec>,
}

impl RunArgs {
    /// The own stack's address, where the port has none.
    pub(crate) fn address(&self) -> Cidr {
        self.address.unwrap_or(Cidr { address: Ipv4Addr::new(10, 77, 0, 2), prefix_len: 24 })
    }
}

/// Where the cores run, and how they idle.
#[derive(Debug, Args)]
pub(crate) struct CoreArgs {
    /// How many cores: one pinned thread, one queue and one stack instance each
    #[arg(long = "cores", value_name = "N", default_value_t = 1, value_parser = cores, conflicts_with = "cpus")]
    count: usize,
    /// The processors to pin cores to, one core each, by the kernel's numbers: for example 0,2-3 [default: --cores of
    /// those that this process may run on, physical cores first]
    #[arg(long, value_name = "LIST", value_parser = cpus)]
    cpus: Option<CpuList>,
    /// What a core with nothing to do does: sleep in the kernel, spin (which takes its processor whole), or spin for some
    /// microseconds where that has paid
    #[arg(long, value_name = "MODE", default_value = "adaptive")]
    idle: IdleArg,
    /// Key of the hash that spreads the own stack's connections over the cores: `auto` (the card's own, on xdp and netmap),
    /// `microsoft`, `symmetric` (both directions of a connection alike), or the 40 bytes that `ethtool -x` shows; `set:`
    /// before it gives the card that key, and a table with its queues in turn
    #[arg(long, value_name = "KEY", default_value = "auto")]
    rss_key: RssKey,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IdleArg {
    Sleep,
    Spin,
    Adaptive,
}

impl CoreArgs {
    /// How many cores.
    pub(crate) fn count(&self) -> usize {
        self.cpus.as_ref().map_or(self.count, |list| list.0.len())
    }

    /// The key of the hash that spreads connections over them.
    pub(crate) fn rss_key(&self) -> RssKey {
        self.rss_key
    }

    /// What the runtime is to do with them.
    pub(crate) fn options(&self) -> Options {
        let pin = self.cpus.clone().map_or(Pin::Auto, Pin::To);
        let idle = match self.idle {
            IdleArg::Sleep => Idle::Sleep,
            IdleArg::Spin => Idle::Spin,
            IdleArg::Adaptive => Idle::Adaptive,
        };
        Options { pin, idle, ..Options::new(self.count()) }
    }
}

/// Show a controller at work, in under 20 seconds; needs no rights, no network and no switch
///
/// Controller and learning switch run on the own TCP/IP stack over in-memory ports; so do the emulated switches and
/// hosts at the other end. The hosts ping each other through the controller, then cbench loads it in both modes.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many cores the controller gets
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = cores)]
    pub(crate) cores: usize,
    /// Seconds of load in each of the two modes
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=6))]
    pub(crate) seconds: u32,
}

/// Show OpenFlow or POF messages as JSON, one object a line
///
/// The input is a capture (pcap or pcapng, known by its first bytes: all TCP conversations on ports 6653, 6633 and
/// --tcp-port are put together), or hex text (white space, and `#` to the end of its line, are passed over), or with
/// --binary raw bytes: one message or many, of any version of OpenFlow.
///
/// The exit status is 0 if all of it was decoded. Otherwise it is 2, and stderr says which message is wrong, where and
/// why; the messages behind it are decoded as well if its length tells where they begin.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echo 04 02 00 08 00 00 00 07 | ferroflow decode          an echo request of OpenFlow 1.3
  ferroflow decode of.pcapng | jq -c .header               what was said in a capture
  tcpdump -U -i lo -w - tcp port 6653 | ferroflow decode   what is being said
  ferroflow decode of.hex | sed s/100/200/ | ferroflow encode
  ferroflow decode --pof 1.4.0 pof.pcap                    POF")]
pub(crate) struct DecodeArgs {
    /// The messages are of this profile of POF: 1.1.8, 1.1.9, 1.3.4 or 1.4.0
    #[arg(long, value_name = "PROFILE")]
    pub(crate) pof: Option<ferroflow_pof::Profile>,
    /// Print the hex of what the encoder makes of each message, one message a line, instead of JSON
    #[arg(long)]
    pub(crate) reencode: bool,
    /// The input is raw bytes, not hex text
    #[arg(long)]
    pub(crate) binary: bool,
    /// Another TCP port, besides 6653 and 6633, whose conversations in a capture are decoded; may be given several times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) tcp_port: Vec<u16>,
    /// The input; `-` is stdin [default: -]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Print the hex of messages in JSON, as `ferroflow decode` shows them, one message a line
///
/// Versions, lengths and counts follow from the rest. The exit status is 0 if all of it was encoded; otherwise it is 2, and
/// stderr says which message is wrong, in which field, and why.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echo '{\"header\":{\"version\":4,\"type\":\"OFPT_BARRIER_REQUEST\",\"xid\":7}}' | ferroflow encode")]
pub(crate) struct EncodeArgs {
    /// The input; `-` is stdin [default: -]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Say which ports this machine has for the own stack, what keeps the others from being used, and what mends that
///
/// Nothing is changed, and no rights are needed; run it as you would run `ferroflow run`, since rights are part of the
/// answer.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show a running controller live: what each core does, and what is dropped
///
/// Rates are over the last interval. `q` or Ctrl-C ends it; the arrow keys move where there are more cores than lines, and
/// the space bar holds the page. What a port or the kernel's sockets do not know is left out.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// The controller's socket, as its `--control` says [default: control.sock in /run/ferroflow for root, in
    /// $XDG_RUNTIME_DIR/ferroflow for others]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    /// Seconds from one look to the next
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    pub(crate) interval: Duration,
    /// Print the page once, as text, after one interval
    #[arg(long, conflicts_with = "json")]
    pub(crate) once: bool,
    /// Print everything that was counted so far as one JSON object on one line, at once
    #[arg(long)]
    pub(crate) json: bool,
}

/// Most cores: far more than any machine has queues.
const MAX_CORES: usize = 256;

fn cores(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=MAX_CORES).contains(&n) => Ok(n),
        _ => Err(format!("a number of cores is 1 to {MAX_CORES}")),
    }
}

fn cpus(text: &str) -> Result<CpuList, String> {
    let list: CpuList = text.parse().map_err(|error: BadCpuList| error.to_string())?;
    Machine::here().check(&list).map_err(|error| error.to_string())?;
    cores(&list.0.len().to_string())?;
    Ok(list)
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(s) if s.is_finite() && (0.1..=86_400.0).contains(&s) => Ok(Duration::from_secs_f64(s)),
        _ => Err("a number of seconds between 0.1 and 86400 is wanted".to_owned()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(s) if s.is_finite() && (0.1..=60.0).contains(&s) => Ok(Duration::from_secs_f64(s)),
        _ => Err("a number of seconds between 0.1 and 60 is wanted".to_owned()),
    }
}

/// Where a controller can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlSpec {
    /// Nowhere.
    None,
    /// At this socket.
    At(PathBuf),
}

impl FromStr for ControlSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<ControlSpec, String> {
        match text {
            "" => Err("the path of a socket is wanted, or none".to_owned()),
            "none" => Ok(ControlSpec::None),
            path => Ok(ControlSpec::At(path.into())),
        }
    }
}

/// Where packets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PortChoice {
    /// A TAP interface if we may, else the kernel's sockets.
    Auto,
    /// This one.
    Port(PortSpec),
}

/// Where frames are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PcapSpec {
    pub(crate) file: PathBuf,
    /// Most bytes kept of a frame; 0 = all.
    pub(crate) snaplen: u32,
}

impl FromStr for PcapSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<PcapSpec, String> {
        let (file, snaplen) = match text.rsplit_once(",snaplen=") {
            None => (text, 0),
            Some((file, n)) => match n.parse() {
                Ok(snaplen @ 1..=MAX_SNAPLEN) => (file, snaplen),
                _ => return Err(format!("snaplen is a number of bytes, 1 to {MAX_SNAPLEN}")),
            },
        };
        if file.is_empty() {
            return Err("a file is wanted, for example ff.pcapng or ff.pcapng,snaplen=96".to_owned());
        }
        Ok(PcapSpec { file: file.into(), snaplen })
    }
}

/// More than any frame has; what Wireshark takes at most.
const MAX_SNAPLEN: u32 = 262_144;

impl FromStr for PortChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<PortChoice, String> {
        if text == "auto" {
            return Ok(PortChoice::Auto);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("--port says where packets come from; did you mean --listen {text}?"));
        }
        text.parse().map(PortChoice::Port).map_err(|e: SpecError| {
            format!("{e}\n  {:40}a TAP interface if possible, else the kernel's sockets", "auto")
        })
    }
}

/// An IPv4 address and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix_len: u8,
}

impl Cidr {
    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix_len)).unwrap_or(0)
    }

    /// Whether `other` is in the same network.
    pub(crate) fn contains(self, other: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ other.to_bits()) & self.mask() == 0
    }

    /// The first host address of the network, or the second if that is this one.
    pub(crate) fn other_host(self) -> Cidr {
        let network = self.address.to_bits() & self.mask();
        let first = Ipv4Addr::from_bits(network + 1);
        let address = if first == self.address { Ipv4Addr::from_bits(network + 2) } else { first };
        Cidr { address, ..self }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Cidr, String> {
        let wanted = "an address with the length of its prefix is wanted, for example 10.77.0.2/24";
        let (address, len) = text.split_once('/').ok_or(wanted)?;
        let address: Ipv4Addr = address.parse().map_err(|_| wanted)?;
        let prefix_len: u8 = len.parse().map_err(|_| wanted)?;
        if !(1..=30).contains(&prefix_len) {
            return Err(
                "the length of the prefix is 1 to 30: two hosts must have room in the network".to_owned()
            );
        }
        let cidr = Cidr { address, prefix_len };
        let host = address.to_bits() & !cidr.mask();
        if host == 0 || host == !cidr.mask() {
            return Err(format!("{address} is the network's own or its broadcast address, not a host's"));
        }
        if address.is_loopback()
            || address.is_multicast()
            || address.octets()[0] == 0
            || address.octets()[0] >= 240
        {
            return Err(format!("{address} is no address that a host can have on a network"));
        }
        Ok(cidr)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn ports_are_read() {
        assert_eq!("auto".parse(), Ok(PortChoice::Auto));
        let tap = "tap:ff0,queues=2".parse().unwrap();
        assert_eq!("tap:ff0,queues=2".parse(), Ok(PortChoice::Port(tap)));
        let error = "eth0".parse::<PortChoice>().unwrap_err();
        assert!(error.contains("no kind of port") && error.contains("auto"), "{error}");
    }

    #[test]
    fn cores_are_a_count_or_a_list() {
        let parse = |words: &str| {
            let Command::Run(run) = Cli::try_parse_from(words.split(' '))?.command else { panic!("not run") };
            Ok::<_, clap::Error>(run.cores)
        };
        assert_eq!(parse("ferroflow run").unwrap().count(), 1);
        assert_eq!(parse("ferroflow run --cores 3").unwrap().options().cores, 3);
        let last = Machine::here().processors().last().unwrap().id;
        let chosen = parse(&format!("ferroflow run --cpus {last} --idle spin")).unwrap().options();
        assert_eq!((chosen.cores, chosen.idle), (1, Idle::Spin));
        assert_eq!(chosen.pin, Pin::To(CpuList(vec![last])));
        let error = |words: &str| parse(words).unwrap_err().to_string();
        let absent = error("ferroflow run --cpus 1023");
        assert!(absent.contains("there is no processor 1023 online; there are 0"), "{absent}");
        assert!(error("ferroflow run --cpus 0,0").contains("named twice"));
        assert!(error("ferroflow run --cpus 0 --cores 1").contains("cannot be used with"));
        assert!(error("ferroflow run --cores 0").contains("1 to 256"));
        assert!(error("ferroflow run --idle rest").contains("sleep, spin, adaptive"));
    }

    #[test]
    fn captures_are_read() {
        let spec = |file: &str, snaplen| Ok(PcapSpec { file: file.into(), snaplen });
        assert_eq!("a.pcapng".parse(), spec("a.pcapng", 0));
        assert_eq!("a,b,snaplen=96".parse(), spec("a,b", 96));
        for bad in ["", ",snaplen=96", "a,snaplen=", "a,snaplen=0", "a,snaplen=262145", "a,snaplen=-1"] {
            assert!(bad.parse::<PcapSpec>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_is_taken_for_a_listen_port() {
        let error = "6653".parse::<PortChoice>().unwrap_err();
        assert!(error.contains("did you mean --listen 6653?"), "{error}");
    }

    #[test]
    fn addresses_are_hosts_addresses() {
        for bad in
            ["10.0.0.1", "10.0.0.0/24", "10.0.0.255/24", "10.0.0.1/31", "127.0.0.1/8", "224.0.0.1/4", "x/24"]
        {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
        let cidr: Cidr = "10.77.0.2/24".parse().unwrap();
        assert_eq!(cidr.other_host().to_string(), "10.77.0.1/24");
        assert_eq!("10.77.0.1/24".parse::<Cidr>().unwrap().other_host().to_string(), "10.77.0.2/24");
        assert!(
            cidr.contains("10.77.0.200".parse().unwrap()) && !cidr.contains("10.77.1.2".parse().unwrap())
        );
    }
}
