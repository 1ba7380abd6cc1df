//! Open vSwitch in a namespace of its own, with the userspace datapath: no kernel module is needed.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::command::{COMMAND_TIMEOUT, run};
use super::{Error, Netns, Proc, Result, wait_until};

const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// An OpenFlow version, as Open vSwitch's `protocols` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the numbers say it")]
pub enum OpenFlow {
    V10,
    V12,
    V13,
    V14,
    V15,
}

impl OpenFlow {
    /// The name for `protocols` and for `ovs-ofctl -O`.
    pub fn protocol(self) -> &'static str {
        match self {
            OpenFlow::V10 => "OpenFlow10",
            OpenFlow::V12 => "OpenFlow12",
            OpenFlow::V13 => "OpenFlow13",
            OpenFlow::V14 => "OpenFlow14",
            OpenFlow::V15 => "OpenFlow15",
        }
    }
}

/// One Open vSwitch: database server and switch daemon, in a namespace and a directory of their own. It can have many
/// bridges, each an OpenFlow switch. Dropping it ends both and removes namespace and directory.
#[derive(Debug)]
pub struct Ovs {
    // Dropped in this order: the daemons, their namespace, their files.
    switchd: Option<Proc>,
    _db: Proc,
    netns: Netns,
    dir: tempfile::TempDir,
    bridges: Vec<(String, OpenFlow)>,
}

impl Ovs {
    /// Starts an Open vSwitch without bridges; `label` makes its namespace's name readable.
    ///
    /// # Errors
    /// When a program is missing or does not get ready within 20 s.
    pub fn start(label: &str) -> Result<Ovs> {
        let netns = Netns::new(label)?;
        let dir = tempfile::Builder::new()
            .prefix("fflab-ovs-")
            .tempdir()
            .map_err(Error::io("temporary directory"))?;
        let conf = dir.path().join("conf.db");
        run(Command::new("ovsdb-tool").arg("create").arg(&conf).arg(SCHEMA), "", COMMAND_TIMEOUT)?
            .success()?;
        let socket = dir.path().join("db.sock");
        let mut server = in_dir(netns.command("ovsdb-server"), &dir);
        server.arg(&conf).arg(format!("--remote=punix:{}", socket.display()));
        server.arg(format!("--unixctl={}", dir.path().join("db.ctl").display())).arg("-vsyslog:off");
        let db = Proc::spawn("ovsdb-server", &mut server)?;
        wait_until("ovsdb-server's socket", START_TIMEOUT, || Ok(socket.exists()))?;
        let mut ovs = Ovs { switchd: None, _db: db, netns, dir, bridges: Vec::new() };
        ovs.vsctl(&["--no-wait", "init"])?;
        ovs.start_switchd()?;
        Ok(ovs)
    }

    /// The namespace that holds the switch ends of all links.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Starts the switch daemon; its bridges come back from the database, without their flows.
    ///
    /// # Errors
    /// When it is not ready within 20 s.
    pub fn start_switchd(&mut self) -> Result<()> {
        let mut daemon = in_dir(self.netns.command("ovs-vswitchd"), &self.dir);
        daemon.arg(self.database()).arg(format!("--unixctl={}", self.dir.path().join("vs.ctl").display()));
        daemon.args(["-vsyslog:off", "-vconsole:info"]);
        let daemon = Proc::spawn("ovs-vswitchd", &mut daemon)?;
        // Without --no-wait, ovs-vsctl returns when the daemon has taken the changed configuration over.
        let change = format!("external_ids:lab={}", daemon.pid());
        self.switchd = Some(daemon);
        self.vsctl(&["set", "open_vswitch", ".", &change])?;
        Ok(())
    }

    /// Kills the switch daemon by SIGKILL. The database lives on.
    ///
    /// # Errors
    /// When the system will not say how it ended.
    pub fn kill_switchd(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.switchd.take() {
            daemon.kill()?;
        }
        Ok(())
    }

    /// Adds a bridge in secure mode that speaks one version and looks for no route to its controller.
    ///
    /// # Errors
    /// When the name is taken or longer than 15 bytes.
    pub fn add_bridge(&mut self, name: &str, datapath_id: u64, version: OpenFlow) -> Result<()> {
        let dpid = format!("other-config:datapath-id={datapath_id:016x}");
        let protocols = format!("protocols={}", version.protocol());
        let (mode, band) = ("fail_mode=secure", "other-config:disable-in-band=true");
        let add = [
            "add-br",
            name,
            "--",
            "set",
            "bridge",
            name,
            "datapath_type=netdev",
            mode,
            &protocols,
            band,
            &dpid,
        ];
        self.vsctl(&add)?;
        self.bridges.push((name.to_owned(), version));
        Ok(())
    }

    /// Adds an interface of the namespace to a bridge, as switch port `port_no`.
    ///
    /// # Errors
    /// When there is no such bridge or interface.
    pub fn add_port(&self, bridge: &str, interface: &str, port_no: u16) -> Result<()> {
        let request = format!("ofport_request={port_no}");
        self.vsctl(&["add-port", bridge, interface, "--", "set", "interface", interface, &request])?;
        self.expect_port_no(interface, port_no)
    }

    /// Pulls an interface out of its switch port and puts it into another of the same bridge: the switch reports one
    /// port gone and one new.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn replug(&self, interface: &str, port_no: u16) -> Result<()> {
        self.vsctl(&["set", "interface", interface, &format!("ofport_request={port_no}")])?;
        self.expect_port_no(interface, port_no)
    }

    /// Removes an interface from its bridge.
    ///
    /// # Errors
    /// When it is not there.
    pub fn del_port(&self, bridge: &str, interface: &str) -> Result<()> {
        self.vsctl(&["del-port", bridge, interface])?;
        Ok(())
    }

    /// Points a bridge at a controller such as `tcp:10.77.0.2:6653`, out of band.
    ///
    /// # Errors
    /// When there is no such bridge.
    pub fn set_controller(&self, bridge: &str, target: &str) -> Result<()> {
        let mode = "connection-mode=out-of-band";
        self.vsctl(&["set-controller", bridge, target, "--", "set", "controller", bridge, mode])?;
        Ok(())
    }

    /// Takes a bridge's controller away, which closes the connection.
    ///
    /// # Errors
    /// When there is no such bridge.
    pub fn del_controller(&self, bridge: &str) -> Result<()> {
        self.vsctl(&["del-controller", bridge])?;
        Ok(())
    }

    /// True when the bridge has negotiated OpenFlow with its controller. Open vSwitch writes this down every 5 s.
    ///
    /// # Errors
    /// When there is no such bridge, or it has no controller.
    pub fn is_connected(&self, bridge: &str) -> Result<bool> {
        Ok(self.vsctl(&["--no-wait", "get", "controller", bridge, "is_connected"])?.trim() == "true")
    }

    /// Waits until [`Ovs::is_connected`]; answers how long that took.
    ///
    /// # Errors
    /// [`Error::Timeout`], or as [`Ovs::is_connected`].
    pub fn wait_connected(&self, bridge: &str, timeout: Duration) -> Result<Duration> {
        wait_until(&format!("{bridge} connected to its controller"), timeout, || self.is_connected(bridge))
    }

    /// The flows of a bridge, one a line, as `ovs-ofctl dump-flows` decodes them.
    ///
    /// # Errors
    /// When the bridge does not answer.
    pub fn dump_flows(&self, bridge: &str) -> Result<Vec<String>> {
        let text = self.ofctl(&["dump-flows", bridge])?;
        Ok(text.lines().map(str::trim).filter(|l| l.contains("actions=")).map(str::to_owned).collect())
    }

    /// Adds a flow in the syntax of ovs-ofctl(8).
    ///
    /// # Errors
    /// When the bridge refuses it.
    pub fn add_flow(&self, bridge: &str, flow: &str) -> Result<()> {
        self.ofctl(&["add-flow", bridge, flow])?;
        Ok(())
    }

    /// Deletes all flows of a bridge, a controller's table-miss flow included.
    ///
    /// # Errors
    /// When the bridge does not answer.
    pub fn del_flows(&self, bridge: &str) -> Result<()> {
        self.ofctl(&["del-flows", bridge])?;
        Ok(())
    }

    /// Runs `ovs-vsctl` on this switch's database and answers its output.
    ///
    /// # Errors
    /// When it fails.
    pub fn vsctl(&self, args: &[&str]) -> Result<String> {
        let mut command = in_dir(Command::new("ovs-vsctl"), &self.dir);
        command.args(["--timeout=15", "-vsyslog:off"]).arg(format!("--db={}", self.database())).args(args);
        run(&mut command, "", COMMAND_TIMEOUT)?.success()
    }

    /// Runs `ovs-ofctl` in the version of the bridge, which is the second argument, and answers its output.
    ///
    /// # Errors
    /// When it fails.
    pub fn ofctl(&self, args: &[&str]) -> Result<String> {
        let bridge = args.get(1).copied().unwrap_or_default();
        let known = self.bridges.iter().find(|(name, _)| name == bridge);
        let (_, version) =
            known.ok_or_else(|| Error::Unexpected(format!("no bridge {bridge:?} in this lab")))?;
        let mut command = in_dir(Command::new("ovs-ofctl"), &self.dir);
        command.args(["-vsyslog:off", "-O", version.protocol()]).args(args);
        run(&mut command, "", COMMAND_TIMEOUT)?.success()
    }

    /// The end of the switch daemon's log, for a message.
    pub fn log_tail(&self, lines: usize) -> String {
        self.switchd.as_ref().map(|daemon| daemon.tail(lines)).unwrap_or_default()
    }

    fn database(&self) -> String {
        format!("unix:{}", self.dir.path().join("db.sock").display())
    }

    fn expect_port_no(&self, interface: &str, port_no: u16) -> Result<()> {
        let what = format!("switch port {port_no} for {interface}");
        wait_until(&what, Duration::from_secs(5), || {
            Ok(self.vsctl(&["--no-wait", "get", "interface", interface, "ofport"])?.trim()
                == port_no.to_string())
        })?;
        Ok(())
    }
}

/// All of Open vSwitch's programs find its sockets and files through these.
fn in_dir(mut command: Command, dir: &tempfile::TempDir) -> Command {
    let dir: PathBuf = dir.path().to_owned();
    for variable in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"] {
        command.env(variable, &dir);
    }
    command
}
