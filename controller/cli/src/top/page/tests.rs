use super::super::rates::{between, tests};
use super::super::text_of;
use super::*;

/// A page of three cores of the own stack, one of which did not answer.
fn page() -> Page {
    let before = tests::snapshot(vec![Some(tests::core(10, 100_000)), None, Some(tests::core(10, 7))]);
    let after = tests::snapshot(vec![Some(tests::core(12, 100_000)), None, Some(tests::core(12, 7))]);
    Page {
        figures: between(Some(&before), &after),
        snapshot: Some(after),
        history: (0..60).map(|n| n * 10_000).collect(),
        interval: 1.0,
        ..Page::default()
    }
}

fn shown(page: &Page, width: u16, height: u16) -> String {
    text_of(width, height, |frame| draw(page, frame)).unwrap()
}

#[track_caller]
fn assert_shows(page: &Page, width: u16, height: u16, wanted: &str) {
    let shown = shown(page, width, height);
    assert!(shown == wanted, "{width} x {height}, shown:\n{shown}\nwanted:\n{wanted}");
}

#[test]
fn eighty_columns() {
    assert_shows(&page(), 80, 24, include_str!("page_80x24.txt"));
}

#[test]
fn there_are_bars_where_there_is_room() {
    assert_shows(&page(), 120, 40, include_str!("page_120x40.txt"));
}

#[test]
fn more_cores_than_lines_can_be_moved() {
    let cores = |seconds| tests::snapshot((0..64).map(|n| Some(tests::core(seconds, n))).collect());
    let mut page =
        Page { figures: between(Some(&cores(1)), &cores(2)), snapshot: Some(cores(2)), ..Page::default() };
    let first = |page: &Page| shown(page, 80, 24).lines().nth(4).unwrap()[..2].to_owned();
    assert_eq!(first(&page), "0 ");
    page.scroll = 7;
    assert_eq!(first(&page), "7 ");
    page.scroll = 63;
    assert_eq!(first(&page), "53");
    assert!(shown(&page, 80, 24).contains("\nall "));
}

#[test]
fn a_small_terminal_gets_a_word_and_no_size_a_panic() {
    assert!(shown(&page(), 76, 24).starts_with("76 x 24 is too small: 77 x 10 are wanted"));
    for width in (1..200).step_by(7) {
        for height in 1..40 {
            shown(&page(), width, height);
            shown(&Page::default(), width, height);
        }
    }
}

#[test]
fn trouble_is_told_at_the_foot() {
    let page = Page { trouble: Some("it has hung up".to_owned()), ..page() };
    assert!(shown(&page, 80, 24).ends_with("\nit has hung up\n"));
}
