//! The runner finds what is wrong: one script that is right, and the same with one thing changed.

use ferroflow_packetdrill::script::run;

const RIGHT: &str = "\
0.000 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
0.1 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 7 ecr 0>
0.1 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 7>
0.2 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 8 ecr 100>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 1000) = 1000
0.2 > . 1:989(988) ack 1 win 65535 <nop,nop,TS val 200 ecr 8>
+0 < . 1:1(0) ack 989 win 65535 <nop,nop,TS val 9 ecr 200>
0.2 > P. 989:1001(12) ack 1 <nop,nop,TS val 200 ecr 9>
0.3 < . 1:1(0) ack 1001 win 65535 <nop,nop,TS val 10 ecr 200>
+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
0.3...0.4 read(4, ..., 100) = 100
0.4 < P. 1:101(100) ack 1001 win 65535 <nop,nop,TS val 11 ecr 200>
0.44 > . 1001:1001(0) ack 101 <nop,nop,TS val 440 ecr 11>
";

/// Runs the right script with `from` changed to `to`; the failure, with its line.
fn wrong(from: &str, to: &str) -> (u32, String) {
    assert_eq!(RIGHT.matches(from).count(), 1, "{from}");
    let text = RIGHT.replace(from, to);
    let failure = run(&text).expect_err(&format!("'{from}' changed to '{to}' must fail"));
    (failure.line, failure.what)
}

/// The failure is at `line` and says `what`.
fn fails(from: &str, to: &str, line: u32, what: &str) {
    let failure = wrong(from, to);
    assert_eq!(failure.0, line, "{}", failure.1);
    assert!(failure.1.contains(what), "'{what}' is not in: {}", failure.1);
}

#[test]
fn the_right_script_passes_and_counts_what_it_checked() {
    let report = run(RIGHT).expect("the right script");
    assert_eq!(report.checked, 8);
    assert!((444_000..450_000).contains(&report.took), "{}", report.took);
}

#[test]
fn packets_are_compared() {
    fails("> . 1:989(988)", "> . 2:990(988)", 10, "tcp_seq: expected: 2 vs actual: 1");
    fails("> . 1:989(988)", "> . 1:988(987)", 10, "payload: expected 987 bytes vs actual 988 bytes");
    fails("> . 1:989(988)", "> P. 1:989(988)", 10, "TCP flags: expected: P. vs actual: .");
    fails("> . 1:989(988) ack 1", "> . 1:989(988) ack 2", 10, "tcp_ack_seq: expected: 2 vs actual: 1");
    fails(
        "ack 1 win 65535 <nop,nop,TS val 200 ecr 8>",
        "ack 1 win 5 <nop,nop,TS val 200 ecr 8>",
        10,
        "tcp_window",
    );
    fails("> . 1:989(988)", "> [ect0] . 1:989(988)", 10, "traffic class");
    fails("> . 1:989(988)", "> [ttl 3] . 1:989(988)", 10, "ttl: expected: 3");
    fails(
        "<mss 1460,sackOK,TS val 100 ecr 7>",
        "<mss 1461,sackOK,TS val 100 ecr 7>",
        6,
        "expected: mss 1461 actual: mss 1460",
    );
    fails(
        "<mss 1460,sackOK,TS val 100 ecr 7>",
        "<mss 1460,nop,nop,TS val 100 ecr 7>",
        6,
        "bad outbound TCP options",
    );
    fails("TS val 200 ecr 9>", "TS val 200 ecr 8>", 12, "TS val 200 ecr 8 actual: TS val 200 ecr 9");
}

#[test]
fn a_mismatch_shows_both_packets_in_the_scripts_language() {
    let (_, what) = wrong("> . 1:989(988)", "> . 2:990(988)");
    assert!(
        what.contains("script packet: 0.200000 . 2:990(988) ack 1 win 65535 <nop,nop,TS val 200 ecr 8>"),
        "{what}"
    );
    assert!(
        what.contains("actual packet: 0.200000 . 1:989(988) ack 1 win 65535 <nop,nop,TS val 200 ecr 8>"),
        "{what}"
    );
}

#[test]
fn times_are_compared() {
    fails(
        "0.44 > .",
        "0.45 > .",
        17,
        "timing error: expected outbound packet at 0.450000 sec but happened at 0.44",
    );
    fails("0.44 > .", "0.41~0.43 > .", 17, "at 0.410000~0.430000 sec");
    fails("0.3...0.4 read", "0.3...0.35 read", 16, "system call return (line 15) at 0.350000 sec");
    // Within the tolerance, in the range and at any time is right.
    for time in ["0.443", "0.42~0.5", "+.04", "*"] {
        run(&RIGHT.replace("0.44 > .", &format!("{time} > ."))).expect(time);
    }
}

#[test]
fn a_missing_packet_is_missed() {
    let text = format!("{RIGHT}+1 > P. 1001:1002(1) ack 101 <...>\n");
    let failure = run(&text).expect_err("nothing was written");
    assert_eq!(failure.line, 18);
    assert!(failure.what.contains("no packet came"), "{}", failure.what);
}

#[test]
fn a_surplus_packet_is_found_between_steps_and_at_the_end() {
    fails(
        "0.2 > P. 989:1001(12) ack 1 <nop,nop,TS val 200 ecr 9>\n",
        "",
        16,
        "actual packet: 0.200000 P. 989:1001(12)",
    );
    let end = "0.44 > . 1001:1001(0) ack 101 <nop,nop,TS val 440 ecr 11>\n";
    fails(end, "0.437 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n", 17, "does not expect");
    // ... but not what comes later than the tolerance after the last step.
    run(&RIGHT.replace(end, "0.43 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"))
        .expect("4 ms of grace");
}

#[test]
fn results_of_calls_are_compared() {
    fails("write(4, ..., 1000) = 1000", "write(4, ..., 1000) = 999", 9, "Expected result 999 but got 1000");
    fails(
        "accept(3, ..., ...) = 4",
        "accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)",
        8,
        "Expected result -1 but got 4",
    );
    fails("revents=POLLOUT}", "revents=POLLIN}", 14, "Bad revents: expected: 1 actual: 4");
    fails(
        "bind(3, ..., ...) = 0",
        "bind(3, ..., ...) = -1 EINVAL (Invalid argument)",
        3,
        "Expected result -1 but got 0",
    );
    let refused = "+0 accept(3, ..., ...) = -1 EBADF (Bad file descriptor)\n";
    let text = format!("{RIGHT}+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n{refused}");
    assert!(run(&text).expect_err("another error").what.contains("Expected errno EBADF but got EAGAIN"));
}

#[test]
fn a_call_may_block_only_where_the_script_says_so() {
    fails("0.3...0.4 read", "0.3 read", 15, "it blocks, but the script does not say so");
    let failure =
        run(&RIGHT.replace("0.4 < P. 1:101", "0.4 < P. 5:105")).expect_err("the read never returns");
    assert!(failure.what.contains("ack"), "{}", failure.what);
}

#[test]
fn assertions_on_tcp_info_are_evaluated() {
    let with = |code: &str| run(&format!("{RIGHT}+0 %{{ {code} }}%\n"));
    let report =
        with("assert tcpi_state == TCP_ESTABLISHED\nassert tcpi_unacked == 0 and tcpi_snd_mss == 988")
            .expect("true");
    assert_eq!(report.checked, 11);
    let failure = with("assert tcpi_snd_mss == 989").expect_err("988");
    assert_eq!(failure.line, 18);
    assert!(failure.what.contains("988 against 989"), "{}", failure.what);
}

#[test]
fn a_call_must_have_returned_at_the_end() {
    let text = format!("{RIGHT}0.5...0.9 read(4, ..., 100) = 0\n");
    let failure = run(&text).expect_err("nobody sends anything");
    assert!(
        failure.what.contains("exiting while the read call of line 18 is in progress"),
        "{}",
        failure.what
    );
}

#[test]
fn a_script_must_check_something() {
    let text = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n";
    assert!(run(text).expect_err("vacuous").what.contains("checks nothing"));
    assert!(run("").is_err());
}

#[test]
fn what_cannot_be_right_is_refused() {
    fails("ecr 200>\n0.2 > P. 989", "ecr 201>\n0.2 > P. 989", 11, "TS ecr 201 echoes no timestamp");
    fails("accept(3, ..., ...) = 4", "accept(9, ..., ...) = 4", 8, "unable to find fd");
    fails("SO_REUSEADDR", "SO_NONSENSE", 2, "unknown name SO_NONSENSE");
    fails("write(4, ..., 1000)", "frobnicate(4, ..., 1000)", 9, "Unknown system call");
    fails("0.44 > .", "0.43 < . 1:1(0) ack 1 win 1\n0.2 > .", 18, "time goes backward");
    let unknown = format!("--so_flags=\"nonsense=1\"\n{RIGHT}");
    assert!(run(&unknown).expect_err("no such setting").what.contains("nonsense"));
}
