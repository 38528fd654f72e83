//! Reads the allow and deny lists, in the config and in files, into networks.

use crate::access::list_file;
use crate::config::Fault;
use crate::config::settings::{ListEntry, Lists};
use crate::verdict::policy::Networks;
use ipnet::IpNet;

/// The largest list file: some millions of lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The networks of both lists, or every fault of every file.
///
/// # Errors
/// Where a file can't be read or a line of it is no network.
pub fn read(lists: &Lists) -> Result<Networks, Vec<Fault>> {
    let mut faults = Vec::new();
    let networks = Networks {
        allow: read_one("lists.allow", &lists.allow, &mut faults),
        deny: read_one("lists.deny", &lists.deny, &mut faults),
    };
    if faults.is_empty() { Ok(networks) } else { Err(faults) }
}

fn read_one(key: &str, entries: &[ListEntry], faults: &mut Vec<Fault>) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for entry in entries {
        match entry {
            ListEntry::Net(net) => nets.push(*net),
            ListEntry::File(path) => {
                let text = std::fs::metadata(path).and_then(|m| {
                    if m.len() > MAX_BYTES {
                        return Err(std::io::Error::other(format!("{} bytes; expected at most {MAX_BYTES}", m.len())));
                    }
                    std::fs::read(path)
                });
                match text {
                    Ok(text) => {
                        let list = list_file::parse(&text);
                        nets.extend(list.nets);
                        faults.extend(list.faults.iter().map(|f| fault(key, format!("{}: {f}", path.display()))));
                    }
                    Err(e) => faults.push(fault(key, format!("{}: cannot be read: {e}", path.display()))),
                }
            }
        }
    }
    nets
}

fn fault(key: &str, message: String) -> Fault {
    Fault { line: 0, column: 0, key: key.to_owned(), value: None, message }
}
