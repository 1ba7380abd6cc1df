//! The page, drawn into a buffer of any size.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table};

use super::rates::{Figures, Rates};
use super::units::{amount, duration, percent, ratio};
use crate::control::Snapshot;

/// The least that shows anything.
pub(super) const WIDTH_MIN: u16 = 77;
pub(super) const HEIGHT_MIN: u16 = 10;
/// From here on there is room for bars.
const WIDTH_OF_BARS: u16 = 100;
const BAR: u16 = 20;

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) snapshot: Option<Snapshot>,
    pub(super) figures: Figures,
    /// Responses per second, the latest last.
    pub(super) history: Vec<u64>,
    /// The first core that is shown.
    pub(super) scroll: usize,
    /// The page is held.
    pub(super) held: bool,
    /// What is wrong.
    pub(super) trouble: Option<String>,
    /// Seconds from one look to the next.
    pub(super) interval: f64,
}

/// Draws it all.
pub(super) fn draw(page: &Page, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let Rect { width, height, .. } = area;
        let text = format!("{width} x {height} is too small: {WIDTH_MIN} x {HEIGHT_MIN} are wanted. q quits");
        return frame.render_widget(Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true }), area);
    }
    let cores = page.figures.cores.len() as u16;
    // Two lines of titles, the cores, and the line for all of them.
    let table = (cores + 3).min((area.height - 3) * 2 / 3);
    let [head, table, rest, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(table),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(page, frame, head);
    draw_cores(page, frame, table);
    draw_rest(page, frame, rest);
    draw_foot(page, frame, foot);
}

/// Draws what makes sense on paper, as high as there is room.
pub(super) fn draw_still(page: &Page, frame: &mut Frame<'_>) {
    let cores = page.figures.cores.len() as u16;
    let heights =
        [Constraint::Length(2), Constraint::Length(cores + 3), Constraint::Length(1), Constraint::Fill(1)];
    let [head, table, _, rest] = Layout::vertical(heights).areas(frame.area());
    draw_head(page, frame, head);
    draw_cores(page, frame, table);
    draw_drops(page, frame, rest, Borders::NONE);
}

fn draw_head(page: &Page, frame: &mut Frame<'_>, area: Rect) {
    let Some(snapshot) = &page.snapshot else {
        return frame.render_widget(Line::from("ferroflow top").bold(), area);
    };
    let (name, what) = snapshot.runs.split_once(": ").unwrap_or(("ferroflow", &snapshot.runs));
    let up = duration(snapshot.uptime_ms / 1000);
    let process = format!("process {}, up {up}", snapshot.pid);
    let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
    let ends = [Constraint::Fill(1), Constraint::Length(process.len() as u16 + 1)];
    let [left, right] = Layout::horizontal(ends).areas(first);
    let listening = format!("  {}", snapshot.listening.join(" "));
    frame.render_widget(Line::from(vec![Span::from(name).bold(), Span::from(listening)]), left);
    frame.render_widget(Line::from(process).right_aligned(), right);
    frame.render_widget(Line::from(what).dim(), second);
}

/// A column: its two lines of title, its width, and what is in it.
type Column = (&'static str, &'static str, u16, fn(&Rates) -> String);

const COLUMNS: &[Column] = &[
    ("", "idle", 5, |r| percent(r.idle)),
    ("packets", "in/s", 7, |r| amount(r.packets_in)),
    ("", "out/s", 5, |r| amount(r.packets_out)),
    ("bytes", "in/s", 6, |r| amount(r.bytes_in)),
    ("", "out/s", 5, |r| amount(r.bytes_out)),
    ("", "burst", 5, |r| ratio(r.burst)),
    ("/kernel", "entry", 7, |r| ratio(r.per_entry)),
    ("handed", "over/s", 6, |r| amount(r.handed_over)),
    ("", "conns", 5, |r| amount(Some(r.conns as f64))),
    ("", "rexmt", 5, |r| amount(r.retransmits)),
    ("", "resp/s", 6, |r| amount(r.responses)),
];

fn draw_cores(page: &Page, frame: &mut Frame<'_>, area: Rect) {
    let bars = area.width >= WIDTH_OF_BARS;
    let mut widths = vec![Constraint::Length(4)];
    widths.extend(COLUMNS.iter().map(|column| Constraint::Length(column.2)));
    if bars {
        widths.push(Constraint::Length(BAR));
    }
    let title = |line: fn(&Column) -> &'static str, first: &'static str, bar: &'static str| {
        let cells = std::iter::once(Cell::from(first));
        let cells = cells.chain(COLUMNS.iter().map(move |column| right(line(column).to_owned())));
        let last = bars.then(|| Cell::from(bar));
        Row::new(cells.chain(last)).style(Style::new().add_modifier(Modifier::BOLD))
    };
    let shown = usize::from(area.height.saturating_sub(3));
    let last_first = page.figures.cores.len().saturating_sub(shown);
    let first = page.scroll.min(last_first);
    let cores = page.figures.cores.iter().enumerate().skip(first).take(shown);
    let mut rows = vec![title(|column| column.0, "", ""), title(|column| column.1, "core", "busy")];
    rows.extend(cores.map(|(core, rates)| row(&core.to_string(), rates.as_ref(), bars)));
    rows.push(row("all", Some(&page.figures.all), bars).style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(Table::new(rows, widths).column_spacing(1), area);
}

fn row(name: &str, rates: Option<&Rates>, bars: bool) -> Row<'static> {
    let name = Cell::from(name.to_owned());
    let Some(rates) = rates else {
        let silent = std::iter::once(right("mute".to_owned()).red())
            .chain(std::iter::repeat_n(right("?".to_owned()), COLUMNS.len() - 1));
        return Row::new(std::iter::once(name).chain(silent));
    };
    let cells = COLUMNS.iter().enumerate().map(|(at, column)| {
        let cell = right(column.3(rates));
        if at == 0 { cell.style(heat(rates)) } else { cell }
    });
    let bar = bars.then(|| bar(rates));
    Row::new(std::iter::once(name).chain(cells).chain(bar))
}

fn right(text: String) -> Cell<'static> {
    Cell::from(Text::from(text).right_aligned())
}

/// How close a core is to its limit.
fn heat(rates: &Rates) -> Style {
    match rates.idle {
        Some(idle) if idle < 0.05 => Style::new().fg(Color::Red),
        Some(idle) if idle < 0.25 => Style::new().fg(Color::Yellow),
        Some(_) => Style::new().fg(Color::Green),
        None => Style::new(),
    }
}

fn bar(rates: &Rates) -> Cell<'static> {
    let Some(idle) = rates.idle else { return Cell::from("") };
    let full = ((1.0 - idle) * f64::from(BAR)).round() as usize;
    let line = Line::from(vec![
        Span::styled("■".repeat(full), heat(rates)),
        Span::from("·".repeat(usize::from(BAR).saturating_sub(full))).dim(),
    ]);
    Cell::from(line)
}

fn draw_rest(page: &Page, frame: &mut Frame<'_>, area: Rect) {
    if area.height < 3 {
        return;
    }
    let [left, right] = Layout::horizontal([Constraint::Percentage(55), Constraint::Fill(1)]).areas(area);
    draw_drops(page, frame, left, Borders::TOP | Borders::RIGHT);
    let responses = amount(page.figures.all.responses);
    let messages = amount(page.figures.all.messages);
    let block = Block::new().borders(Borders::TOP).title(format!(
        " responses {}/s, messages in {}/s ",
        responses.trim(),
        messages.trim()
    ));
    let inside = block.inner(right);
    frame.render_widget(block, right);
    let shown = page.history.len().saturating_sub(usize::from(inside.width));
    frame.render_widget(
        Sparkline::default().data(&page.history[shown..]).style(Style::new().fg(Color::Cyan)),
        inside,
    );
}

fn draw_drops(page: &Page, frame: &mut Frame<'_>, area: Rect, borders: Borders) {
    let block = Block::new().borders(borders).title(" dropped, by reason ");
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if page.figures.drops.is_empty() {
        let nothing = if page.snapshot.is_some() { "nothing" } else { "" };
        return frame.render_widget(Line::from(nothing).dim(), inside);
    }
    let rows = page.figures.drops.iter().map(|drops| {
        let style = if drops.per_second > 0.0 { Style::new().fg(Color::Yellow) } else { Style::new() };
        let cells = [right(amount(Some(drops.per_second))), right(amount(Some(drops.total as f64)))];
        Row::new(std::iter::once(Cell::from(drops.reason.clone())).chain(cells)).style(style)
    });
    let widths = [Constraint::Length(28), Constraint::Length(6), Constraint::Length(6)];
    let titles = Row::new([Cell::from(""), right("/s".to_owned()), right("total".to_owned())]).bold();
    frame.render_widget(Table::new(rows, widths).header(titles), inside);
}

fn draw_foot(page: &Page, frame: &mut Frame<'_>, area: Rect) {
    if let Some(trouble) = &page.trouble {
        return frame.render_widget(Line::from(trouble.as_str()).red(), area);
    }
    let held = if page.held { "  HELD" } else { "" };
    let text = format!("q quit   space hold   ↑↓ cores   every {} s{held}", page.interval);
    frame.render_widget(Line::from(text).dim(), area);
}

#[cfg(test)]
mod tests;
