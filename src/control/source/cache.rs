//! The last good config from AWS on disk, so that a weir starts while AWS is away.
//!
//! A line of JSON with the source, the version and a checksum, then the text as it came. It can hold what was a secret
//! in AWS, so only its owner may read it, and only a file of one's own is believed.

use super::Text;
use crate::config::MAX_CONFIG_BYTES;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What this weir writes.
const VERSION: u32 = 1;

/// The header beside the text.
const MAX_BYTES: u64 = MAX_CONFIG_BYTES as u64 + 8_192;

#[derive(Serialize, Deserialize)]
struct Head {
    weir: String,
    version: u32,
    source: String,
    source_version: String,
    fetched_ms: u64,
    sha256: String,
}

/// Where the config of `source` is kept when the operator names no file: in the first of these folders that can be
/// written: systemd's state folder, /var/lib/weir, the user's, the folder for temporary files.
pub(super) fn default_path(source: &str) -> Option<PathBuf> {
    let named = |variable: &str, below: &str| {
        let folder = std::env::var_os(variable).map(PathBuf::from).filter(|f| f.is_absolute());
        folder.map(|f| f.join(below))
    };
    let folders = [
        named("STATE_DIRECTORY", ""),
        Some("/var/lib/weir".into()),
        named("XDG_STATE_HOME", "weir"),
        named("HOME", ".local/state/weir"),
        Some(std::env::temp_dir()),
    ];
    let name = format!("weir-config-{}.cache", &hex(source.as_bytes())[..16]);
    folders.into_iter().flatten().find(|folder| is_writable(folder)).map(|folder| folder.join(name))
}

fn is_writable(folder: &Path) -> bool {
    nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Keeps `text` at `path`, whole or not at all, also when the power goes.
pub(super) fn save(path: &Path, source: &str, text: &Text) -> io::Result<()> {
    let head = Head {
        weir: "config".into(),
        version: VERSION,
        source: source.into(),
        source_version: text.version.clone(),
        fetched_ms: text.fetched_ms,
        sha256: hex(text.text.as_bytes()),
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What is left of a write that was cut short, or what somebody else put there.
    match fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(serde_json::to_string(&head)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.write_all(text.text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// What is kept at `path` of `source`; none where there is no file.
pub(super) fn load(path: &Path, source: &str) -> Result<Option<Text>, String> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let file = match file {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("{}: cannot be read: {e}", path.display())),
    };
    read(file).and_then(|bytes| decode(&bytes, source)).map(Some).map_err(|why| format!("{}: {why}", path.display()))
}

fn read(file: File) -> Result<Vec<u8>, String> {
    let unreadable = |e: io::Error| format!("cannot be read: {e}");
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() || about.uid() != nix::unistd::geteuid().as_raw() || about.mode() & 0o022 != 0 {
        return Err("is not believed: expected a plain file of this user that nobody else can write".into());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES { Err(format!("is larger than {MAX_BYTES} bytes")) } else { Ok(bytes) }
}

fn decode(bytes: &[u8], source: &str) -> Result<Text, String> {
    let (head, text) = std::str::from_utf8(bytes).ok().and_then(|t| t.split_once('\n')).ok_or("has no header")?;
    let head: Head = serde_json::from_str(head).map_err(|e| format!("has no header: {e}"))?;
    if head.weir != "config" || head.version != VERSION {
        return Err(format!(
            "is {:?} of version {}; expected \"config\" of version {VERSION}",
            head.weir, head.version
        ));
    }
    if head.source != source {
        return Err(format!("holds the config of {}; expected that of {source}", head.source));
    }
    if head.sha256 != hex(text.as_bytes()) {
        return Err("is not what was written: its checksum differs".into());
    }
    Ok(Text { text: text.into(), version: head.source_version, fetched_ms: head.fetched_ms, cached: true })
}

/// The checksum in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const SOURCE: &str = "ssm:/weir/config";

    fn text() -> Text {
        Text { text: "[origin]\n# é\n".into(), version: "7".into(), fetched_ms: 1_700_000_000_000, cached: false }
    }

    #[test]
    fn what_is_kept_is_read_again_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        assert_eq!(load(&path, SOURCE), Ok(None));
        fs::write(folder.path().join("cache.new"), "half").unwrap();
        for _ in 0..2 {
            save(&path, SOURCE, &text()).unwrap();
        }
        assert_eq!(load(&path, SOURCE), Ok(Some(Text { cached: true, ..text() })));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_is_damaged_or_meant_for_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        save(&path, SOURCE, &text()).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        assert!(load(&path, "ssm:/other").unwrap_err().contains("expected that of ssm:/other"));
        let newer = good.replacen("\"version\":1", "\"version\":2", 1);
        let changed = good.replace("[origin]", "[orig1n]");
        let large = format!("{good}{}", "#".repeat(MAX_BYTES as usize));
        for (text, why) in [
            (newer.as_str(), "version 2"),
            (&changed, "checksum"),
            (&large, "larger"),
            ("", "header"),
            ("{}\n", "header"),
        ] {
            fs::write(&path, text).unwrap();
            let error = load(&path, SOURCE).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    #[test]
    fn what_others_could_have_written_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        save(&path, SOURCE, &text()).unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(load(&link, SOURCE).unwrap_err().contains("cannot be read"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(load(&path, SOURCE).unwrap_err().contains("not believed"));
        assert!(load(folder.path(), SOURCE).is_err());
    }
}
