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
    assert_eq!(s.to_string(), "RESULT: 1 switches 1 tests min/max/avg/stdev = 0.00/0.00/0.00/0.00 responses/s");
}
