//! One screen as text: the same for a terminal of any size and for a file.

use super::super::table::{Style, Table, harmless, number, paint, plain, span};
use super::{Ban, PLAIN, Seen};
use crate::control::flood::{FloodReport, FloodStatus, OffenderView, SecondView};

/// Rows of the graph.
const GRAPH: usize = 4;
/// Columns kept for what stands beside the graph.
const LEGEND: usize = 22;
/// Rows that are there whatever the size: titles, the state, ranks, the last line.
const FIXED: usize = 26;
/// Bans shown.
const BANS: usize = 5;

/// By what clients are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Requests,
    Refused,
    Errors,
    Bytes,
}

impl Order {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Requests => Self::Refused,
            Self::Refused => Self::Errors,
            Self::Errors => Self::Bytes,
            Self::Bytes => Self::Requests,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Requests => "Clients by requests",
            Self::Refused => "Clients by refused requests",
            Self::Errors => "Clients by answers of 400 and above",
            Self::Bytes => "Clients by bytes",
        }
    }
}

/// What is shown, and how.
pub(super) struct Screen {
    pub(super) order: Order,
    pub(super) paused: bool,
    admin: String,
    seen: Option<Seen>,
    note: Option<String>,
}

impl Screen {
    pub(super) fn new(admin: &str) -> Self {
        Self { order: Order::Requests, paused: false, admin: admin.into(), seen: None, note: None }
    }

    /// An answer has come.
    pub(super) fn see(&mut self, seen: Seen) {
        if self.paused {
            return;
        }
        let started = |seen: &Seen| seen.report.started.clone();
        let again = self.seen.as_ref().is_some_and(|last| started(last) != started(&seen));
        let kept = self.note.take().filter(|note| note.starts_with("weir has started again"));
        self.note = if again { Some(format!("weir has started again: {}", started(&seen))) } else { kept };
        self.seen = Some(seen);
    }

    /// No answer has come.
    pub(super) fn miss(&mut self, why: &str) {
        self.note = Some(format!("no answer, what is shown is old; trying again: {}", harmless(why)));
    }

    /// The screen, no line longer than the width; about as high as the height where there is so much to show.
    pub(super) fn render(&self, (width, height): (usize, usize), colour: bool) -> String {
        let Some(Seen { report, bans }) = &self.seen else { return String::new() };
        let mut text = self.head(&report.status, colour);
        text += &graph(&report.seconds, &report.status, width, colour);
        text += &title("Ranks, the first goes first", colour);
        text += &ranks(&report.status).render(colour);
        let bans_shown = bans.len().min(BANS);
        let room = height.saturating_sub(FIXED + if bans_shown > 0 { bans_shown + 3 } else { 0 });
        let clients = self.clients(report);
        let rows = (room * 2 / 3).clamp(3, 20);
        text += &title(self.order.title(), colour);
        text += &offenders(&clients[..clients.len().min(rows)], self.order == Order::Bytes).render(colour);
        text += &title("Networks", colour);
        text += &networks(report, (room / 3).clamp(3, 12)).render(colour);
        if bans_shown > 0 {
            text += &title(&format!("Bans: {}", bans.len()), colour);
            text += &ban_rows(&bans[..bans_shown]).render(colour);
        }
        let keys = "\n  o order  r requests  f refused  e errors  b bytes  p pause  q quit";
        if height < PLAIN.1 {
            text += &paint(keys, Style::Dim, colour);
        }
        let lines: Vec<_> = text.lines().map(|line| cut(line, width)).collect();
        lines.join("\n") + "\n"
    }

    fn head(&self, status: &FloodStatus, colour: bool) -> String {
        let style = match status.state.as_ref() {
            "normal" => Style::Good,
            "elevated" => Style::Bold,
            _ => Style::Bad,
        };
        let state = paint(&status.state.to_uppercase(), style, colour);
        let paused = if self.paused { "  paused" } else { "" };
        let mut text = format!("weir at {}{paused}\n", harmless(&self.admin));
        text += &format!("{state} for {}: {}\n", span(status.lasted_s), harmless(&status.why));
        text += &format!("  {}\n", harmless(&status.evidence));
        let n = |rate: f64| number(rate.max(0.0).round() as u64).0;
        text += &format!(
            "  offered {}/s  forwarded {}/s  refused {}/s  capacity {}/s  usual {}/s  {} clients, {} new\n",
            n(status.offered),
            n(status.forwarded),
            n(status.refused),
            n(status.capacity),
            n(status.usual),
            n(status.clients),
            n(status.unseen)
        );
        if let Some(note) = &self.note {
            text += &format!("{}\n", paint(note, Style::Bad, colour));
        }
        text
    }

    fn clients<'a>(&self, report: &'a FloodReport) -> &'a [OffenderView] {
        match self.order {
            Order::Requests => &report.by_requests,
            Order::Refused => &report.by_refused,
            Order::Errors => &report.by_errors,
            Order::Bytes => &report.by_bytes,
        }
    }
}

fn title(text: &str, colour: bool) -> String {
    format!("\n{}\n", paint(text, Style::Bold, colour))
}

/// What was offered by the second, with lines where the capacity and what is usual are.
fn graph(seconds: &[SecondView], status: &FloodStatus, width: usize, colour: bool) -> String {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = width.saturating_sub(LEGEND).clamp(10, 120);
    let shown = &seconds[seconds.len().saturating_sub(columns)..];
    let peak = shown.iter().map(|s| f64::from(s.offered)).fold(0.0, f64::max);
    let most = peak.max(status.capacity).max(1.0);
    let row_of = |rate: f64| ((rate / most * GRAPH as f64) as usize).min(GRAPH - 1);
    let mut text = String::new();
    for row in (0..GRAPH).rev() {
        let at_capacity = row == row_of(status.capacity);
        let at_usual = row == row_of(status.usual);
        let empty = if at_capacity {
            '─'
        } else if at_usual {
            '·'
        } else {
            ' '
        };
        let bar = |s: &SecondView| {
            let filled = f64::from(s.offered) / most * GRAPH as f64 - row as f64;
            match EIGHTHS[(filled.clamp(0.0, 1.0) * 8.0).round() as usize] {
                ' ' => empty,
                bar => bar,
            }
        };
        let blank = std::iter::repeat_n(empty, columns - shown.len());
        let line: String = blank.chain(shown.iter().map(bar)).collect();
        let legend = match (at_capacity, at_usual) {
            (true, _) => format!("capacity {:.0}/s", status.capacity),
            (_, true) => format!("usual {:.0}/s", status.usual),
            _ if row == GRAPH - 1 => format!("{most:.0}/s"),
            _ => String::new(),
        };
        let style = if row > row_of(status.capacity) { Style::Bad } else { Style::Plain };
        text += &format!("  {} {legend}\n", paint(&line, style, colour));
    }
    text
}

fn ranks(status: &FloodStatus) -> Table {
    let mut table = Table::new(&["rank", ">offered/s", ">forwarded/s", ">refused/s", ">challenged/s", "meaning"]);
    for r in &status.ranks {
        let refused = if r.refused >= 0.05 { Style::Bad } else { Style::Plain };
        table.row([
            plain(&r.rank),
            plain(tenths(r.offered)),
            plain(tenths(r.forwarded)),
            (tenths(r.refused), refused),
            plain(tenths(r.challenged)),
            (r.meaning.to_string(), Style::Dim),
        ]);
    }
    table
}

fn offenders(rows: &[OffenderView], bytes: bool) -> Table {
    let mut table = Table::new(&["client", ">/s", ">share", "rank", "refused lately for", "network of"]);
    for o in rows {
        let rate = if bytes { size(o.rate) } else { tenths(o.rate) };
        table.row([
            plain(&o.who),
            plain(rate),
            plain(share(o.share)),
            plain(&o.rank),
            plain(&o.reason),
            plain(&o.owner),
        ]);
    }
    table
}

fn networks(report: &FloodReport, rows: usize) -> Table {
    let mut table = Table::new(&["network", ">/s", ">share", "of"]);
    let (narrow, wide) = (rows.div_ceil(2), rows / 2);
    for o in report.by_net24.iter().take(narrow).chain(report.by_net16.iter().take(wide)) {
        table.row([plain(&o.who), plain(tenths(o.rate)), plain(share(o.share)), plain(&o.owner)]);
    }
    for o in report.by_owner.iter().take(wide) {
        let clients = format!("{} clients of the sample", o.clients);
        table.row([plain(&o.owner), plain(tenths(o.rate)), plain(share(Some(o.share))), plain(clients)]);
    }
    table
}

fn ban_rows(bans: &[Ban]) -> Table {
    let mut table = Table::new(&["banned", "step", "for another", "reason"]);
    for ban in bans {
        let why = if ban.evidence.is_empty() { &ban.reason } else { &ban.evidence };
        table.row([plain(&ban.network), plain(&ban.step), plain(span(ban.left_s)), plain(why)]);
    }
    table
}

fn tenths(rate: f64) -> String {
    if rate >= 100.0 { number(rate.round() as u64).0 } else { format!("{rate:.1}") }
}

fn share(share: Option<f64>) -> String {
    share.map_or(String::new(), |share| format!("{:.0} %", share * 100.0))
}

fn size(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.1} kB", b / 1e3),
        b => format!("{b:.0} B"),
    }
}

/// The line cut to so many columns; what only sets colours takes none.
fn cut(line: &str, width: usize) -> String {
    let (mut kept, mut columns, mut escape) = (String::new(), 0, false);
    for c in line.chars() {
        escape |= c == '\x1b';
        if escape || columns < width {
            kept.push(c);
        }
        columns += usize::from(!escape);
        escape &= c != 'm';
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::flood::fixture;

    fn screen() -> Screen {
        let mut screen = Screen::new("http://127.0.0.1:9901");
        let ban = Ban {
            network: "192.0.2.9".into(),
            step: "ban 1".into(),
            reason: "login".into(),
            evidence: String::new(),
            left_s: 50.0,
        };
        screen.see(Seen { report: fixture(), bans: vec![ban] });
        screen
    }

    #[test]
    fn the_picture_in_the_guide_is_this_one() {
        let text = screen().render(PLAIN, false);
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watching.md");
        let guide = std::fs::read_to_string(page).unwrap();
        let (start, end) = ("```text\n", "```\n");
        let from = guide.find(start).unwrap() + start.len();
        let to = from + guide[from..].find(end).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(page, format!("{}{text}{}", &guide[..from], &guide[to..])).unwrap();
            return;
        }
        assert!(guide[from..to] == text, "docs/watching.md is stale: run UPDATE_DOCS=1 cargo test; now:\n{text}");
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_and_colours_take_no_room() {
        for (width, height) in [(1, 1), (20, 10), (80, 24), (120, 50), (300, 200)] {
            let plain = screen().render((width, height), false);
            assert!(plain.lines().all(|line| line.chars().count() <= width), "{width}:\n{plain}");
            let coloured = screen().render((width, height), true);
            let stripped: Vec<_> = coloured.lines().map(anstrip).collect();
            let trimmed = |lines: Vec<String>| lines.iter().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
            assert_eq!(trimmed(stripped), trimmed(plain.lines().map(Into::into).collect()));
        }
    }

    fn anstrip(line: &str) -> String {
        let mut escape = false;
        line.chars()
            .filter(|c| {
                escape |= *c == '\x1b';
                let keep = !escape;
                escape &= *c != 'm';
                keep
            })
            .collect()
    }

    #[test]
    fn orders_silence_and_a_restart_show() {
        let mut screen = screen();
        for order in [Order::Refused, Order::Errors, Order::Bytes, Order::Requests] {
            screen.order = screen.order.next();
            assert_eq!(screen.order, order);
            assert!(screen.render((120, 60), false).contains(order.title()));
        }
        screen.miss("connection refused\x1b[2J");
        let text = screen.render((120, 60), false);
        assert!(text.contains("what is shown is old") && !text.contains('\x1b'), "{text}");
        let mut report = fixture();
        report.started = "2024-02-29T13:00:00.000Z".into();
        screen.see(Seen { report, bans: vec![] });
        assert!(screen.render((120, 60), false).contains("started again: 2024-02-29T13:00"));
        screen.paused = true;
        screen.see(Seen { report: FloodReport::default(), bans: vec![] });
        assert!(screen.render((120, 60), false).contains("ATTACK"), "paused");
    }
}
