//! One log played to one or more configs, each with an engine of its own.

use super::address;
use super::engine::{Engine, Request, SERVICE};
use super::input::{Input, InputError};
use super::log::Line;
use super::order::{Due, Window};
use super::tally::{Clients, Tally, place, word};
use crate::config::settings::Settings;
use crate::flood::class::Agent;
use crate::verdict::Verdict;
use crate::verdict::policy::Networks;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

/// The header of a file of verdicts.
pub const COLUMNS: &str = "t\tip\tverdict\treason\tstate\trank\tdelay";
/// After how many lines progress is told.
const TOLD_EVERY: u64 = 4096;

/// Who passes a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Whoever the log's column `challenge` says.
    AsLogged,
    /// Beside these every client that calls itself a browser.
    Browsers,
    /// Nobody is asked: the log doesn't say who would pass.
    NobodyAsked,
}

impl Passing {
    /// One word for JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AsLogged => "as-logged",
            Self::Browsers => "browsers-pass",
            Self::NobodyAsked => "off",
        }
    }

    fn solves(self, line: &Line) -> bool {
        match (line.challenge, self) {
            (Some(passes), _) => passes,
            (None, Self::Browsers) => Agent::of(line.user_agent.as_bytes()).browser,
            (None, Self::AsLogged | Self::NobodyAsked) => false,
        }
    }
}

/// A log, ready to be played.
pub struct Trial {
    log: Input,
    window: Window<Line>,
    exhausted: bool,
    passing: Passing,
    clients: Clients,
    first: f64,
    last: f64,
    history: Option<Input>,
    /// Lines of the history that came too late for it.
    overlap: u64,
    pairs: [[u64; 4]; 4],
}

/// A config and what it does.
pub struct Contender {
    /// What it is called: its file.
    pub name: String,
    /// weir in virtual time.
    pub engine: Engine,
    /// What it did.
    pub tally: Tally,
}

impl Contender {
    /// The config `settings` with its lists.
    pub fn new(
        name: impl Into<String>,
        mut settings: Settings,
        networks: &Networks,
        passing: Passing,
        seed: u64,
    ) -> Self {
        settings.flood.challenge.enabled &= passing != Passing::NobodyAsked;
        let engine = Engine::new(Arc::new(settings), networks, seed);
        Self { name: name.into(), engine, tally: Tally::default() }
    }
}

/// Why a trial could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A log.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The file of verdicts.
    #[error("the verdicts can't be written: {0}")]
    Verdicts(#[source] io::Error),
}

impl Trial {
    /// Reads the beginning of `log`, to see when it begins and whether it says who passes a challenge.
    ///
    /// # Errors
    /// Where the log can't be read.
    pub fn open(log: Input, assume_browsers: bool) -> Result<Self, InputError> {
        let mut trial = Self {
            log,
            window: Window::default(),
            exhausted: false,
            passing: Passing::NobodyAsked,
            clients: Clients::default(),
            first: 0.0,
            last: 0.0,
            history: None,
            overlap: 0,
            pairs: [[0; 4]; 4],
        };
        trial.fill()?;
        if assume_browsers {
            trial.passing = Passing::Browsers;
        } else if trial.window.waiting().any(|line| line.challenge.is_some()) {
            trial.passing = Passing::AsLogged;
        }
        trial.first = trial.window.earliest().unwrap_or(0.0);
        trial.last = trial.first;
        Ok(trial)
    }

    /// Who passes a challenge.
    pub fn passing(&self) -> Passing {
        self.passing
    }

    /// Tells the contenders what came before the log: what did not is passed over, and counted.
    ///
    /// # Errors
    /// Where the history can't be read.
    pub fn learn(
        &mut self,
        mut history: Input,
        contenders: &mut [Contender],
        mut tell: impl FnMut(u64),
    ) -> Result<(), InputError> {
        let mut window = Window::default();
        loop {
            let line = history.next_line()?;
            let ended = line.is_none();
            if let Some(line) = line {
                window.push(line.t, line.clone(), size_of_line(&line));
            }
            while (ended || window.is_full())
                && let Some(Due { at, line, .. }) = window.pop()
            {
                if at >= self.first {
                    self.overlap += 1;
                    continue;
                }
                let client = address::of(&line.client);
                let request = request(&line, client, at, false);
                contenders.iter_mut().for_each(|c| c.engine.learn(&request));
            }
            if history.lines().is_multiple_of(TOLD_EVERY) || ended {
                tell(history.bytes());
            }
            if ended {
                self.history = Some(history);
                return Ok(());
            }
        }
    }

    /// Plays the log to the contenders. The first one's verdicts go to `verdicts`, a line each in the order of the log;
    /// `tell` hears how many bytes were read.
    ///
    /// # Errors
    /// Where the log can't be read on or the verdicts can't be written.
    pub fn run(
        &mut self,
        contenders: &mut [Contender],
        verdicts: Option<&mut dyn Write>,
        mut tell: impl FnMut(u64),
    ) -> Result<(), TrialError> {
        let mut rows = verdicts.map(Rows::begin).transpose().map_err(TrialError::Verdicts)?;
        let mut count = 0_u64;
        loop {
            self.fill()?;
            let Some(Due { place: number, at, line }) = self.window.pop() else { break };
            self.last = at;
            let client = address::of(&line.client);
            self.clients.add(client, &line.client);
            let request = request(&line, client, at, self.passing.solves(&line));
            let mut of_first = None;
            for (n, contender) in contenders.iter_mut().enumerate() {
                let verdict = contender.engine.step_taking(&request, line.took.unwrap_or(SERVICE));
                let first = of_first.get_or_insert(verdict.fate);
                self.pairs[place(*first)][place(verdict.fate)] += u64::from(n == 1);
                let state = contender.engine.state().flood.view().state;
                contender.tally.add(at, client, &verdict, state);
                if let (0, Some(rows)) = (n, &mut rows) {
                    rows.put(number, row(&line, &verdict, state.name())).map_err(TrialError::Verdicts)?;
                }
            }
            count += 1;
            if count.is_multiple_of(TOLD_EVERY) {
                tell(self.log.bytes());
            }
        }
        for contender in contenders {
            contender.tally.series.finish();
            contender.tally.changes = contender.engine.changes().to_vec();
            contender.tally.challenges = contender.engine.challenges();
            contender.tally.bans = contender.engine.bans();
        }
        rows.map_or(Ok(()), |rows| rows.out.flush()).map_err(TrialError::Verdicts)
    }

    /// Reads on until the next line in order is known.
    fn fill(&mut self) -> Result<(), InputError> {
        while !self.exhausted && !self.window.is_full() {
            match self.log.next_line()? {
                Some(line) => {
                    let size = size_of_line(&line);
                    self.window.push(line.t, line, size);
                }
                None => self.exhausted = true,
            }
        }
        Ok(())
    }

    /// The log.
    pub fn log(&self) -> &Input {
        &self.log
    }

    /// What came before it.
    pub fn history(&self) -> Option<&Input> {
        self.history.as_ref()
    }

    /// Lines of the history that were passed over, as they came after the log's first.
    pub fn overlap(&self) -> u64 {
        self.overlap
    }

    /// Lines of the log that were taken at another time than their own.
    pub fn late(&self) -> u64 {
        self.window.late()
    }

    /// How often the first config's verdict (the row) met each of the second's, by their place in a tally.
    pub fn pairs(&self) -> &[[u64; 4]; 4] {
        &self.pairs
    }

    /// Who came.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The times of the log's first and last request.
    pub fn span(&self) -> (f64, f64) {
        (self.first, self.last)
    }
}

fn size_of_line(line: &Line) -> usize {
    let texts = [&line.client, &line.method, &line.path, &line.user_agent];
    size_of::<Line>() + texts.iter().map(|text| text.capacity()).sum::<usize>()
}

fn request(line: &Line, client: IpAddr, at: f64, solves: bool) -> Request<'_> {
    Request {
        t: at,
        client,
        method: &line.method,
        path: &line.path,
        query: line.has_query,
        status: line.status,
        user_agent: &line.user_agent,
        solves,
    }
}

fn row(line: &Line, verdict: &Verdict, state: &str) -> String {
    let mut row = String::with_capacity(80);
    let (client, delay) = (one_column(&line.client), verdict.delay.as_secs_f64());
    let (fate, reason) = (word(verdict.fate), verdict.reason.code());
    // Writing to a string can't fail.
    _ = write!(row, "{:.6}\t{client}\t{fate}\t{reason}\t{state}\t", line.t);
    if let Some(rank) = verdict.rank {
        _ = write!(row, "{}", rank as u8);
    }
    _ = writeln!(row, "\t{delay:.6}");
    row
}

/// `text` without what would end its column.
fn one_column(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => Cow::Owned(text.replace(char::is_control, " ")),
        false => Cow::Borrowed(text),
    }
}

/// Writes rows in the order of their places, however they come.
struct Rows<'a> {
    out: &'a mut dyn Write,
    next: u64,
    waiting: VecDeque<Option<String>>,
}

impl<'a> Rows<'a> {
    fn begin(out: &'a mut dyn Write) -> io::Result<Self> {
        writeln!(out, "{COLUMNS}")?;
        Ok(Self { out, next: 0, waiting: VecDeque::new() })
    }

    fn put(&mut self, place: u64, row: String) -> io::Result<()> {
        let at = (place - self.next) as usize;
        if at >= self.waiting.len() {
            self.waiting.resize(at + 1, None);
        }
        self.waiting[at] = Some(row);
        while let Some(Some(row)) = self.waiting.front() {
            self.out.write_all(row.as_bytes())?;
            self.waiting.pop_front();
            self.next += 1;
        }
        Ok(())
    }
}
