use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn parse(args: &[&str]) -> Options {
    Cli::try_parse_from([&["cbench"], args].concat()).expect("valid").options
}

#[test]
fn defaults_are_the_originals() {
    assert_eq!(parse(&[]), Options::default());
}

#[test]
fn the_usual_command_line() {
    let o =
        parse(&["-c", "127.0.0.1", "-p", "6653", "-s", "16", "-M", "1000", "-l", "5", "-m", "2000", "-t"]);
    let expected = Options {
        controller: "127.0.0.1".to_owned(),
        port: 6653,
        macs: 1000,
        loops: 5,
        ms_per_test: 2000,
        throughput: true,
        ..Options::default()
    };
    assert_eq!(o, expected);
}

#[test]
fn every_other_flag() {
    let o = parse(&["-w", "2", "-C", "1", "-D", "5", "-i", "6", "-I", "4", "-o", "100", "-r", "-d"]);
    let expected = Options {
        warmup: 2,
        cooldown: 1,
        delay_ms: 5,
        connect_delay_ms: 6,
        connect_group_size: 4,
        dpid_offset: 100,
        ranged: true,
        debug: true,
        ..Options::default()
    };
    assert_eq!(o, expected);
}

#[test]
fn learning_is_turned_off_by_a_value() {
    for (args, on) in [
        (&["-L"][..], true),
        (&["--learn-dst-macs"], true),
        (&["--learn-dst-macs=0"], false),
        (&["--learn-dst-macs=off"], false),
        (&["--learn-dst-macs=TRUE"], true),
        (&["-L", "-t"], true),
    ] {
        assert_eq!(parse(args).learn_dst_macs, on, "{args:?}");
    }
}

#[test]
fn nonsense_is_refused() {
    for args in
        [["-s", "0"], ["-M", "0"], ["-m", "0"], ["-I", "0"], ["-p", "0"], ["-p", "65536"], ["-l", "-1"]]
    {
        assert!(Cli::try_parse_from([&["cbench"], &args[..]].concat()).is_err(), "{args:?}");
    }
    assert!(Options { loops: 2, warmup: 1, ..Options::default() }.check().is_ok());
    let e =
        Options { loops: 2, warmup: 1, cooldown: 1, ..Options::default() }.check().expect_err("none left");
    assert_eq!(e.to_string(), "Error warmup(1) + cooldown(1) >= number of tests (2)");
    assert!(Options { warmup: u32::MAX, cooldown: u32::MAX, ..Options::default() }.check().is_err());
}

#[test]
fn banner() {
    let expected = "\
cbench: controller benchmarking tool
   running in mode 'latency'
   connecting to controller at localhost:6633 
   faking 16 switches offset 1 :: 16 tests each; 1000 ms per test
   with 100000 unique source MACs per switch
   learning destination mac addresses before the test
   starting test with 0 ms delay after features_reply
   ignoring first 1 \"warmup\" and last 0 \"cooldown\" loops
   connection delay of 0ms per 1 switch(es)
   debugging info is off
";
    assert_eq!(Options::default().banner().to_string(), expected);
    let other = Options { throughput: true, ranged: true, learn_dst_macs: false, ..Options::default() };
    let text = other.banner().to_string();
    assert!(text.contains("mode 'throughput'\n"));
    assert!(text.contains("   faking from 1 to 16 switches"));
    assert!(text.contains("   NOT learning destination"));
}
