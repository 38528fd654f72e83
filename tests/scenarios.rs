//! Scenarios on real traffic: the traces beside the repository, where they are.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use weir::simulate::log::Log;
use weir::simulate::scenario::{Attackers, Background, CAPACITY, Kind, Networks, Scenario, WINDOW, build};
use weir::simulate::score::{self, baseline::Baseline};

/// The folder of traces; none where there is none.
fn traces() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    if !folder.is_dir() {
        println!("skipped: no traces at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn background(folder: &Path, networks: Networks) -> Background {
    let mut log = Log::open(&folder.join("wp2016_shared/requests.tsv.zst"), None).unwrap();
    Background::from_log(&mut log, networks).unwrap()
}

fn share(scenario: &Scenario, kind: Kind) -> f64 {
    scenario.events.iter().filter(|e| e.kind == kind).count() as f64 / scenario.events.len() as f64
}

#[test]
fn a_real_log_makes_a_background_that_is_as_known_as_the_log() {
    let Some(folder) = traces() else { return };
    let background = background(&folder, Networks::default());
    let bots = Attackers::open(&folder.join("killnet_ips_shared/ips.txt.zst")).unwrap();
    let quiet = build("quiet", 1, &background, &bots).unwrap();
    let mean = quiet.events.len() as f64 / WINDOW;
    assert!((15.0..25.0).contains(&mean), "{mean} requests a second");
    assert!((0.4..0.7).contains(&share(&quiet, Kind::Known)), "{} known", share(&quiet, Kind::Known));

    let login = build("login", 1, &background, &bots).unwrap();
    let attack: HashSet<_> = login.events.iter().filter(|e| e.kind == Kind::Attacker).map(|e| e.client).collect();
    assert_eq!(attack.len(), 1500);
    assert!(login.events.iter().filter(|e| e.kind == Kind::Attacker).all(|e| &*e.path == "/wp-login.php"));
    let seen: HashSet<_> = background.history().iter().map(|e| e.client).collect();
    assert!(attack.intersection(&seen).count() < 15);
}

#[test]
fn with_a_table_of_systems_a_crowd_comes_from_their_other_networks() {
    let Some(folder) = traces() else { return };
    let background = background(&folder, Networks::open(&folder.join("asn_table/asn-ipv4.csv.zst")).unwrap());
    let bots = Attackers::open(&folder.join("ipsum_level3/ips.txt.zst")).unwrap();
    let crowd = build("crowd-12-far", 1, &background, &bots).unwrap();
    let mut filter = Baseline::FixedLimit.filter(CAPACITY);
    let score = score::run(&crowd, CAPACITY, |event| filter.judge(event));
    // A crowd near the capacity, of whom a limit per address refuses nobody.
    assert!((0.8..1.1).contains(&score.peak), "{}", score.peak);
    assert_eq!((score.all, score.whole, score.false_attacks), (0.0, 100.0, 0));
}
