//! Layer 4: the commands.

pub mod alarms;
pub mod ask;
pub mod ban;
pub mod check;
pub mod exit;
pub mod logging;
pub mod report;
pub mod schema;
pub mod serve;
pub mod simulate;
pub mod status;
pub mod table;
pub mod top;
pub mod why;

use crate::base::units::parse_duration;
use crate::control::source::Place;
use ask::Target;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  weir                                  serve with config/weir.toml
  weir serve --config /etc/weir.toml    serve with another config
  weir serve --config ssm:/weir/config  serve with one in AWS: SSM, AppConfig, S3
  weir check /etc/weir.toml             say everything that is wrong with it
  weir simulate --log access.log.gz     what would the config have done to this traffic?
  weir report --from -2h                what happened in the last two hours?
  weir status                           what the running weir does now
  weir top                              the same, live, with who it is that comes
  weir why 192.0.2.7                    why was this client refused?
  weir ban list                         who is banned, why, until when?
  kill -HUP PID                         take the config anew; a faulty one is refused

Exit codes: 0 well, 64 wrong usage, 65 no log, 66 no such file, 69 no answer or address taken, 77 not permitted, 78 faulty config.";

/// An edge filter: a proxy that holds every client to its limits and says why it refused.
#[derive(Debug, Parser)]
#[command(name = "weir", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// What was asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: listen, filter, pass on (what weir does without a command)
    #[command(after_help = "\
SIGHUP takes the config anew, and so does a change of its file; one with a fault is refused and the last good one stays.
A config in AWS is looked at every --config-poll; the last good one is kept on disk for a start while AWS is away.
SIGTERM drains: /readyz turns to 503, connections finish, weir exits within listen.drain_timeout.
WEIR_LOG sets what weir logs about itself on stderr, such as WEIR_LOG=debug.")]
    Serve(Serve),
    /// Say all that is wrong with a config, or what it means
    #[command(after_help = "Exit codes: 0 good, 66 unreadable, 78 faulty. For editors, see weir schema.")]
    Check {
        /// The config
        #[arg(value_name = "CONFIG", default_value = DEFAULT_CONFIG)]
        config: Place,
    },
    /// Print the JSON Schema of the config, or its reference, or dashboards
    #[command(after_help = "\
Examples:
  weir schema > weir.schema.json          name that file in your editor's TOML settings
  weir schema --dashboard grafana         a dashboard to import; cloudwatch and rules likewise")]
    Schema {
        /// Print the reference of all keys in Markdown instead
        #[arg(long)]
        markdown: bool,
        /// Print a dashboard of weir's metrics, or recording rules for Prometheus, instead
        #[arg(long, value_name = "WHICH", conflicts_with = "markdown")]
        dashboard: Option<schema::Dashboard>,
        /// Print the rules of alerts for CloudWatch alarms (JSON) or as Prometheus alerting rules instead
        #[arg(long, value_enum, value_name = "FOR", num_args = 0..=1, require_equals = true, default_missing_value = "cloudwatch", conflicts_with_all = ["markdown", "dashboard"])]
        alarms: Option<alarms::Watcher>,
        /// With --alarms: the config whose rules these are; the built-in rules without one
        #[arg(long, value_name = "CONFIG", requires = "alarms")]
        config: Option<Place>,
    },
    /// Say what a config would have done to a log
    #[command(after_help = "\
Examples:
  weir simulate --log access.log.gz
  weir simulate --config new.toml --compare old.toml --log today.log --history week.log.zst
  zcat *.log.gz | weir simulate --format alb --log - --json
Exit codes: 0 well, 64 wrong usage, 65 no log, 66 unreadable, 78 faulty config. Formats and columns: docs/simulate.md.")]
    Simulate(Box<simulate::Simulate>),
    /// Tell an incident from the ingress log: what was refused and why, what leaked, who was hurt
    #[command(after_help = "\
Examples:
  weir report --from -2h
  weir report --from 2024-02-29T12:00:00Z --to 2024-02-29T15:00:00Z --log access.log.1.gz --log access.log --out report.html
Exit codes: 0 well, 64 wrong usage, 65 nothing of that time in the log, 66 unreadable, 78 faulty config. More: docs/report.md.")]
    Report(Box<report::Report>),
    /// Show what a running weir does: config, requests, limits, origin
    #[command(after_help = "Example: weir status --admin http://10.0.1.7:9901 --token-file token")]
    Status {
        /// The running weir
        #[command(flatten)]
        target: Target,
        /// Print JSON, as /api/status gives it
        #[arg(long)]
        json: bool,
    },
    /// Watch a running weir: the flood's state and why, rates, ranks, who sends most
    #[command(after_help = "\
Keys: o or Tab the next order of clients; r by requests, f by refused, e by errors, b by bytes; p pause; q quit.
Without a terminal, and with --once, it prints one screen. NO_COLOR=1 turns colours off.")]
    Top {
        /// The running weir
        #[command(flatten)]
        target: Target,
        /// Time between two looks
        #[arg(long, value_name = "TIME", default_value = "1s", value_parser = top::interval)]
        interval: Duration,
        /// Print one screen and end
        #[arg(long)]
        once: bool,
        /// Print JSON, as /api/flood gives it, one line a look
        #[arg(long)]
        json: bool,
    },
    /// Say what is known about one client: lists, what it owes to each limit, its latest refusals
    #[command(after_help = "Examples:\n  weir why 192.0.2.7\n  weir why 2001:db8::7 --json")]
    Why {
        /// The client's address
        #[arg(value_name = "ADDRESS")]
        address: IpAddr,
        /// The running weir
        #[command(flatten)]
        target: Target,
        /// Print JSON, as /api/why gives it
        #[arg(long)]
        json: bool,
    },
    /// Show bans, ban by hand, lift bans, pause the ladder
    #[command(subcommand)]
    Ban(ban::Ban),
}

const DEFAULT_CONFIG: &str = "config/weir.toml";

/// What serving needs.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The config: a file, ssm:/PATH, appconfig:APPLICATION/ENVIRONMENT/PROFILE or s3://BUCKET/KEY
    #[arg(long, short, value_name = "CONFIG", env = "WEIR_CONFIG", default_value = DEFAULT_CONFIG)]
    pub config: Place,
    /// How often a config in AWS is looked at: 10s where nothing is said, as AppConfig asks for there
    #[arg(long, value_name = "TIME", env = "WEIR_CONFIG_POLL", value_parser = parse_duration)]
    pub config_poll: Option<Duration>,
    /// Where the last good config from AWS is kept, for a start while AWS is away (weir finds a folder itself)
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG_CACHE")]
    pub config_cache: Option<PathBuf>,
}

/// Reads the command line. Where there is nothing left to do (`--help`, a mistake), says so and gives the exit code.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    match Line::try_parse_from(line) {
        Ok(line) => Ok(line.command.unwrap_or(Command::Serve(line.serve))),
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = error.print();
            Err(if error.use_stderr() { exit::Code::Usage } else { exit::Code::Ok }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> Command {
        parse(line.iter().map(OsString::from)).unwrap()
    }

    #[test]
    fn serving_is_what_is_done_without_a_command() {
        for line in [&["weir", "--config", "x.toml"][..], &["weir", "serve", "-c", "x.toml"]] {
            assert!(matches!(parsed(line), Command::Serve(s) if s.config == Place::File("x.toml".into())), "{line:?}");
        }
        assert!(
            matches!(parsed(&["weir", "check"]), Command::Check { config } if config == Place::File(DEFAULT_CONFIG.into()))
        );
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Line::command().debug_assert();
    }
}
