//! The replay itself: read, plan, send, count.

pub(crate) mod address;
pub(crate) mod client;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod target;

pub(crate) use target::Target;

use anyhow::Context;
use client::Connection;
use indicatif::{ProgressBar, ProgressStyle};
use plan::Plan;
use report::{Report, Tally};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use weir::simulate::log::{Format, Line, Log};

/// How to replay.
pub(crate) struct Options {
    pub(crate) target: Target,
    pub(crate) plan: plan::Options,
    /// The most lines.
    pub(crate) limit: usize,
    /// Connections at once.
    pub(crate) connections: usize,
    /// For one request.
    pub(crate) timeout: Duration,
    /// Whether clients appear as hashes.
    pub(crate) hash_clients: bool,
    /// Whether a progress bar is drawn, if standard error is a terminal.
    pub(crate) progress: bool,
}

/// Replays the log at `path`.
pub(crate) fn replay(path: &Path, format: Option<Format>, options: &Options) -> anyhow::Result<Report> {
    let name = path.display();
    let mut log = Log::open(path, format).with_context(|| format!("{name}"))?;
    let lines = read(&mut log, options.limit).with_context(|| format!("{name}"))?;
    anyhow::ensure!(!lines.is_empty(), "{name}: no line of it is a request ({} faults)", log.faults().count);
    // Now rather than after minutes of failures.
    let target = options.target.address;
    std::net::TcpStream::connect(target).with_context(|| format!("nothing to replay through at {target}"))?;
    let plan = Plan::new(lines, &options.plan);
    let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let plan = Arc::new(plan);
    let (tally, took) = workers.block_on(play(Arc::clone(&plan), options));
    Ok(Report::new(&plan, log.faults(), tally, took, options))
}

fn read(log: &mut Log, limit: usize) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    while lines.len() < limit
        && let Some(line) = log.next_line()?
    {
        lines.push(line);
    }
    Ok(lines)
}

/// What the workers share.
struct Stage {
    plan: Arc<Plan>,
    next: AtomicUsize,
    start: Instant,
    bar: ProgressBar,
}

/// Sends everything planned, or what goes until Ctrl-C.
async fn play(plan: Arc<Plan>, options: &Options) -> (Tally, Duration) {
    let bar = if options.progress { ProgressBar::new(plan.shots.len() as u64) } else { ProgressBar::hidden() };
    // The template is a constant; were it wrong, a plain bar would do as well.
    if let Ok(style) = ProgressStyle::with_template("{elapsed} {wide_bar} {pos}/{len} {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar.tick();
    let stage = Arc::new(Stage { plan, next: AtomicUsize::new(0), start: Instant::now(), bar });
    let workers: Vec<_> = (0..options.connections)
        .map(|_| tokio::spawn(work(Arc::clone(&stage), Connection::new(options.target.clone(), options.timeout))))
        .collect();
    let stopper = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                // Relaxed: a lone number; workers only need to see it some time.
                stage.next.store(usize::MAX / 2, Ordering::Relaxed);
            }
        }
    });
    let mut tally = Tally::default();
    for worker in workers {
        match worker.await {
            Ok(part) => tally.add(part),
            Err(e) => tally.warnings.push(format!("a worker failed: {e}")),
        }
    }
    stopper.abort();
    stage.bar.finish_and_clear();
    (tally, stage.start.elapsed())
}

/// One connection: takes the next request, waits until it is due, sends it.
async fn work(stage: Arc<Stage>, mut connection: Connection) -> Tally {
    let mut tally = Tally::default();
    loop {
        // Relaxed: each index is given once, whatever the order in which workers see it.
        let index = stage.next.fetch_add(1, Ordering::Relaxed);
        let Some(shot) = stage.plan.shots.get(index) else { return tally };
        let due = stage.start + shot.at;
        sleep_until(due).await;
        let late = if stage.plan.paced { due.elapsed() } else { Duration::ZERO };
        let line = &stage.plan.lines[shot.line];
        let begun = Instant::now();
        let outcome = connection.send(line, shot.address).await;
        tally.count(line, outcome, begun.elapsed(), late);
        stage.bar.inc(1);
    }
}
