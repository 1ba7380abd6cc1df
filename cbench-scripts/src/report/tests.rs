use super::*;

fn one(index: u32, counted: bool, counts: &[u64], ms: u64) -> LoopResult {
    LoopResult { index, counted, counts: counts.to_vec(), passed: Duration::from_millis(ms) }
}

#[test]
fn line_of_a_loop() {
    let at = UNIX_EPOCH + Duration::from_millis(((7 * 60 + 8) * 60 + 9) * 1000 + 45);
    let text = one(0, true, &[10, 20, 5], 1000).line(at).to_string();
    assert_eq!(text, "07:08:09.045 3   switches: flows/sec:  10  20  5   total = 0.035000 per ms ");
    let many = one(0, true, &[1; 100], 2000).line(at).to_string();
    assert!(many.starts_with("07:08:09.045 100 switches: flows/sec:  1  1  "), "{many}");
    assert!(many.ends_with("  1   total = 0.050000 per ms "), "{many}");
}

#[test]
fn result_counts_neither_warm_up_nor_cool_down() {
    let loops = [
        one(0, false, &[1, 1], 1000),
        one(1, true, &[1000, 1000], 1000),
        one(2, true, &[2000, 2000], 1000),
        one(3, true, &[4000, 4000], 2000),
        one(4, false, &[9, 9], 1),
    ];
    let s = Summary::of(&loops, 2);
    assert_eq!(s.responses, 14_000);
    assert_eq!(
        s.to_string(),
        "RESULT: 2 switches 3 tests min/max/avg/stdev = 2000.00/4000.00/3333.33/942.81 responses/s"
    );
}

#[test]
fn a_result_without_an_answer() {
    let s = Summary::of(&[one(0, true, &[0], 1000)], 1);
    assert_eq!(
        s.to_string(),
        "RESULT: 1 switches 1 tests min/max/avg/stdev = 0.00/0.00/0.00/0.00 responses/s"
    );
}

#[test]
fn percentiles() {
    let l = Latency {
        samples: 7,
        mean_ns: 2.0,
        p50_ns: 1_000,
        p90_ns: 2_500,
        p99_ns: 30_000,
        p999_ns: 400_000,
        max_ns: 5_000_000,
    };
    assert_eq!(
        latency_line(Some(&l), false),
        "LATENCY: p50/p90/p99/p99.9/max = 1.0/2.5/30.0/400.0/5000.0 us, 7 round trips"
    );
    assert_eq!(latency_line(None, true), "LATENCY: n/a (no answer names the buffer it answers to)");
}

#[test]
fn report_is_one_object() {
    let loops = vec![one(0, false, &[3], 1000), one(1, true, &[500], 1000)];
    let summary = Summary::of(&loops, 1);
    let snapshot = Snapshot { loops, summaries: vec![summary], ..Snapshot::default() };
    let spent = [Spent::new(500, Some(Duration::from_millis(250)))];
    let report = Report::new(&Options { throughput: true, ..Options::default() }, &snapshot, &spent);
    let v = serde_json::to_value(&report).expect("serialises");
    assert_eq!(v["mode"], "throughput");
    assert_eq!(v["controller"], "localhost:6633");
    assert_eq!(v["results"][0]["avg"], 500.0);
    assert_eq!(v["results"][0]["tests"], 1);
    assert_eq!(v["results"][0]["responses_per_core_s"], 2000.0);
    assert_eq!(v["loops"][0]["counted"], false);
    assert_eq!(v["loops"][1]["counts"][0], 500);
    assert_eq!(v["loops"][1]["passed_ns"], 1_000_000_000u64);
    assert!(v["latency"].is_null());
}
