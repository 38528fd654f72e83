//! Kinds of value that name a place: addresses, networks, hosts, files, paths of a request.

use super::kind::{Kind, Problem};
use super::section::article;
use super::settings::{ListEntry, LogTarget, OriginAddress, PathPattern, Secret, SecretPlace};
use crate::base::units::Bytes;
use ipnet::IpNet;
use ring::digest::{SHA256, digest};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// An address with its port.
pub(super) fn socket() -> Kind<SocketAddr> {
    const WANT: &str = "an address with its port such as \"0.0.0.0:8080\" or \"[::]:8080\"";
    Kind::string("IP address and port", WANT, json!({"type": "string"}), |text| {
        text.parse().map_err(|_| match text.parse::<IpAddr>() {
            Ok(ip) => format!("has no port; write {:?}", SocketAddr::new(ip, 8080).to_string()),
            Err(_) => format!("is not an address; write {WANT}"),
        })
    })
}

/// A network, or a single address.
pub(super) fn network() -> Kind<IpNet> {
    let want = "a network such as \"10.0.0.0/8\" or an address";
    Kind::string("network or address", want, json!({"type": "string"}), read_network)
}

fn read_network(text: &str) -> Result<IpNet, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(ip));
    }
    let net = text.parse::<IpNet>().map_err(|_| {
        "is not a network; write one such as \"10.0.0.0/8\" or \"2001:db8::/32\", or an address".to_owned()
    })?;
    if net.trunc() != net {
        return Err(format!("has bits set behind its prefix; write \"{}\"", net.trunc()));
    }
    Ok(net)
}

/// A network, an address, or a file of them; a relative path starts at `base`.
pub(super) fn list_entry(base: &Path) -> Kind<ListEntry> {
    let base = base.to_owned();
    let want = "a network such as \"203.0.113.0/24\", an address, or a file with one a line";
    Kind::string(
        "network, address, or file with one a line",
        want,
        json!({"type": "string", "minLength": 1}),
        move |text| {
            let numeric = text.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'/'));
            let like_network =
                numeric && !text.starts_with(['.', '/']) && (text.contains(':') || text.matches('.').count() >= 2);
            if like_network {
                read_network(text).map(ListEntry::Net)
            } else {
                existing(&base, text, u64::MAX).map(ListEntry::File)
            }
        },
    )
}

/// A file that can be read; a relative path starts at `base`.
pub(super) fn file(base: &Path) -> Kind<PathBuf> {
    let base = base.to_owned();
    let want = "the path of a file, absolute or from this config's folder";
    let schema = json!({"type": "string", "minLength": 1});
    Kind::string("path of a file", want, schema, move |text| existing(&base, text, u64::MAX))
}

/// A password or token: a file that can be read, or a variable that is set; a relative path starts at `base`.
pub(super) fn secret_place(base: &Path) -> Kind<SecretPlace> {
    let base = base.to_owned();
    let want = "the path of a file, or env:NAME";
    let schema = json!({"type": "string", "minLength": 1});
    Kind::string("path of a file, or env:NAME", want, schema, move |text| place(&base, text, u64::MAX))
}

/// Where a secret stands; something must stand there.
fn place(base: &Path, text: &str, most: u64) -> Result<SecretPlace, String> {
    let Some(place) = SecretPlace::env(text) else {
        return existing(base, text, most).map(SecretPlace::File);
    };
    let place = place?;
    let found = place.read().map_err(|e| format!("cannot be read: {e}"))?;
    if found.trim_ascii().is_empty() {
        return Err("is an empty variable; set it to the secret".to_owned());
    }
    Ok(place)
}

/// A secret in a file or variable, of any bytes but few; a relative path starts at `base`.
pub(super) fn secret_file(base: &Path) -> Kind<Secret> {
    const LEAST: usize = 32;
    let base = base.to_owned();
    let want = "the path of a file with at least 32 random bytes, or env:NAME";
    let schema = json!({"type": "string", "minLength": 1});
    Kind::string("path of a file with at least 32 random bytes, or env:NAME", want, schema, move |text| {
        let place = place(&base, text, 4096)?;
        let content = place.read().map_err(|e| format!("cannot be read as {place}: {e}"))?;
        let content = content.trim_ascii();
        if content.len() < LEAST {
            let found = content.len();
            return Err(format!("has {found} bytes ({place}); write at least {LEAST} random ones there"));
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, content).as_ref());
        Ok(Secret::new(place, bytes))
    })
}

fn resolve(base: &Path, text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("is empty; write the path of a file".to_owned()),
        _ if text.contains('\0') => Err("has a zero byte; write the path of a file".to_owned()),
        _ => Ok(base.join(text)),
    }
}

/// Opens the file as it will be opened later; anything but a plain file could block or never end.
fn existing(base: &Path, text: &str, most: u64) -> Result<PathBuf, String> {
    let path = resolve(base, text)?;
    let shown = path.display();
    let found = std::fs::metadata(&path).map_err(|e| format!("cannot be read as {shown}: {e}"))?;
    if !found.is_file() {
        return Err(format!("is no plain file ({shown}); write the path of a file"));
    }
    if found.len() > most {
        return Err(format!("is larger than {} ({shown}); write a smaller file", Bytes(most)));
    }
    std::fs::File::open(&path).map_err(|e| format!("cannot be read as {shown}: {e}"))?;
    Ok(path)
}

/// Where a log goes; a relative path starts at `base`.
pub(super) fn log_target(base: &Path) -> Kind<LogTarget> {
    let base = base.to_owned();
    let want = "\"stdout\", \"off\" or the path of a file";
    Kind::string(want, want, json!({"type": "string", "minLength": 1}), move |text| match text {
        "stdout" => Ok(LogTarget::Stdout),
        "off" => Ok(LogTarget::Off),
        path => writable(&base, path).map(LogTarget::File),
    })
}

/// A file that weir writes; a relative path starts at `base`.
pub(super) fn file_to_write(base: &Path) -> Kind<PathBuf> {
    let base = base.to_owned();
    let want = "the path of a file to write, absolute or from this config's folder";
    let schema = json!({"type": "string", "minLength": 1});
    Kind::string("path of a file to write", want, schema, move |text| writable(&base, text))
}

fn writable(base: &Path, text: &str) -> Result<PathBuf, String> {
    let path = resolve(base, text)?;
    if path.is_dir() {
        return Err("is a folder; write the path of a file".to_owned());
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => Err(format!("cannot be written: there is no folder {}", folder.display())),
        None => Ok(path),
    }
}

/// An address of an origin.
pub(super) fn origin_address() -> Kind<OriginAddress> {
    const WANT: &str = "an address such as \"10.0.1.5:8080\", a name such as \"app.internal:8080\", or \"demo\"";
    let schema = json!({"type": "string", "pattern": "^demo$|^.+:[0-9]+$"});
    Kind::string("address and port, name and port, or \"demo\"", WANT, schema, |text| {
        if text == "demo" {
            return Ok(OriginAddress::Demo);
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return if socket.port() == 0 {
                Err(format!("has port 0; write {WANT}"))
            } else {
                Ok(OriginAddress::Socket(socket))
            };
        }
        if text.contains("://") {
            return Err(format!("is a URL; write {WANT}"));
        }
        let Some((host, port)) = text.rsplit_once(':').filter(|_| text.parse::<IpAddr>().is_err()) else {
            return Err(format!("has no port; write {WANT}"));
        };
        let digits = port.bytes().all(|b| b.is_ascii_digit());
        match port.parse::<u16>().ok().filter(|port| digits && *port != 0) {
            Some(port) if is_host(host) => Ok(OriginAddress::Name { host: host.to_owned(), port }),
            Some(_) => Err(format!("has a host that no name can be; write {WANT}")),
            None => Err(format!("has a port that is not 1 to 65535; write {WANT}")),
        }
    })
}

/// Whether `host` can be a DNS name that is no mistyped address.
fn is_host(host: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let plain = host.strip_suffix('.').unwrap_or(host);
    host.len() <= 253 && plain.split('.').all(label) && plain.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A path that a limit covers.
pub(super) fn path_pattern() -> Kind<PathPattern> {
    let want = "a path such as \"/login\", or its beginning such as \"/api/*\"";
    let schema = json!({"type": "string", "pattern": "^/[^*?#\\s]*\\*?$", "maxLength": 1024});
    Kind::string("path, or its beginning with a * at the end", want, schema, move |text| {
        let (path, is_prefix) = text.strip_suffix('*').map_or((text, false), |path| (path, true));
        if !path.starts_with('/') {
            return Err(format!("does not begin with /; write {want}"));
        }
        if path.contains('*') {
            return Err(format!("has a * that is not at the end; write {want}"));
        }
        if path.contains(['?', '#']) || path.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) {
            return Err(format!("holds more than a path (?, # or a space); write {want}"));
        }
        if text.len() > 1024 {
            return Err("is longer than 1024 bytes".to_owned());
        }
        let path = path.to_owned();
        Ok(if is_prefix { PathPattern::Prefix(path) } else { PathPattern::Exact(path) })
    })
}

/// The largest body of a refusal: it is held in memory, and sent in the middle of a flood.
const MAX_REPLY_BYTES: u64 = 64 << 10;

/// Files by status of the reply; relative paths start at `base`.
pub(super) fn files_by_status(base: &Path) -> Kind<BTreeMap<u16, PathBuf>> {
    let base = base.to_owned();
    const WANT: &str = "a table of files by status such as { 429 = \"busy.html\" }";
    let schema = json!({
        "type": "object",
        "patternProperties": {"^[45][0-9][0-9]$": {"type": "string", "minLength": 1}},
        "additionalProperties": false
    });
    let read = move |value: &toml::Spanned<DeValue<'_>>| {
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("is {}; write {WANT}", article(value.get_ref()));
            return Err(vec![Problem { below: String::new(), span: value.span(), message }]);
        };
        let mut files = BTreeMap::new();
        let mut problems = Vec::new();
        for (key, value) in table {
            let shown: String = key.get_ref().chars().take(60).collect();
            let status =
                key.get_ref().parse::<u16>().ok().filter(|s| (400..600).contains(s) && key.get_ref().len() == 3);
            let path = match value.get_ref() {
                DeValue::String(path) => existing(&base, path, MAX_REPLY_BYTES),
                other => Err(format!("is {}; write the path of a file", article(other))),
            };
            let mut problem = |span, message| problems.push(Problem { below: format!(".{shown}"), span, message });
            match (status, path) {
                (Some(status), Ok(path)) => _ = files.insert(status, path),
                (None, _) => {
                    problem(key.span(), "is not the status of a refusal; write one from 400 to 599".to_owned())
                }
                (_, Err(message)) => problem(value.span(), message),
            }
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    };
    Kind::compound("table of files by status".to_owned(), WANT.to_owned(), schema, Box::new(read))
}
