//! The records on disk: JSON lines under a header with a version and a checksum, replaced whole.

use super::record::{Key, Record, Store, StoreError, apply};
use crate::ban::file::save;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What this weir writes.
const VERSION: u32 = 1;

/// The largest file that is read: four times what 100 full sets take.
const MAX_BYTES: u64 = 512 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    weir: String,
    version: u32,
    crc32: u32,
}

/// A file of records.
pub struct FileStore {
    path: PathBuf,
    /// What the file holds; none before it was read.
    held: Arc<Mutex<Option<BTreeMap<Key, Record>>>>,
}

impl FileStore {
    /// The file at `path`, which need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, held: Arc::default() }
    }

    /// Does `job` with the records, away from the runtime's threads: it may wait for the disk.
    async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Path, &mut BTreeMap<Key, Record>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (path, held) = (self.path.clone(), self.held.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            let mut records = match held.take() {
                Some(records) => records,
                None => read(&path)?,
            };
            let done = job(&path, &mut records);
            *held = done.is_ok().then_some(records);
            done
        });
        let done = done.await.map_err(io::Error::other).and_then(|done| done);
        done.map_err(|e| StoreError(format!("waf.file: {}: {e}", self.path.display())))
    }
}

#[async_trait]
impl Store for FileStore {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        self.with(|_, records| Ok(records.values().cloned().collect())).await
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        let (put, drop) = (put.to_vec(), drop.to_vec());
        self.with(move |path, records| {
            apply(records, &put, &drop);
            save(path, &encode(records.values()))
        })
        .await
    }
}

/// Reads the file. A damaged one is set aside, and what it knew is lost: its addresses are then nobody's.
fn read(path: &Path) -> io::Result<BTreeMap<Key, Record>> {
    let mut text = Vec::new();
    match std::fs::File::open(path).and_then(|f| f.take(MAX_BYTES).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(e),
    }
    decode(&text).or_else(|why| {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".damaged");
        std::fs::rename(path, &aside)?;
        let (path, aside) = (path.display(), Path::new(&aside).display());
        tracing::error!("waf.file: {path}: {why}; it is set aside as {aside}, and its addresses stay in their sets");
        Ok(BTreeMap::new())
    })
}

fn encode<'a>(records: impl Iterator<Item = &'a Record>) -> String {
    // Plain structs of texts and numbers: nothing that JSON can't hold.
    let line = |value: &Record| serde_json::to_string(value).unwrap_or_default() + "\n";
    let body: String = records.map(line).collect();
    let head = Head { weir: "waf".into(), version: VERSION, crc32: crc32fast::hash(body.as_bytes()) };
    serde_json::to_string(&head).unwrap_or_default() + "\n" + &body
}

fn decode(text: &[u8]) -> Result<BTreeMap<Key, Record>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not text".to_owned())?;
    let (head, body) = text.split_once('\n').ok_or("has no header")?;
    let head: Head = serde_json::from_str(head).map_err(|e| format!("has no header: {e}"))?;
    if head.weir != "waf" || head.version != VERSION {
        return Err(format!("is {:?} of version {}; expected \"waf\" of version {VERSION}", head.weir, head.version));
    }
    if head.crc32 != crc32fast::hash(body.as_bytes()) {
        return Err("is not what was written: its checksum differs".into());
    }
    let record = |(n, line): (usize, &str)| {
        let record: Record = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", n + 2))?;
        Ok((record.key(), record))
    };
    body.lines().enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(network: &str, until: u64) -> Record {
        Record { set: "a".into(), network: network.parse().unwrap(), since: 1, until, leftover: false }
    }

    #[tokio::test]
    async fn what_was_put_is_there_for_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waf");
        let first = FileStore::new(path.clone());
        assert_eq!(first.load().await, Ok(vec![]));
        let (one, two) = (record("192.0.2.7/32", 5), record("2001:db8::/64", 6));
        first.change(&[one.clone(), two.clone()], &[]).await.unwrap();
        first.change(&[record("192.0.2.7/32", 9)], &[two.key()]).await.unwrap();
        assert_eq!(FileStore::new(path).load().await, Ok(vec![record("192.0.2.7/32", 9)]));
    }

    #[tokio::test]
    async fn a_damaged_file_is_set_aside_and_weir_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waf");
        FileStore::new(path.clone()).change(&[record("192.0.2.7/32", 5)], &[]).await.unwrap();
        let mut text = std::fs::read(&path).unwrap();
        let last = text.len() - 3;
        text[last] ^= 1;
        std::fs::write(&path, text).unwrap();
        let store = FileStore::new(path);
        assert_eq!(store.load().await, Ok(vec![]));
        assert!(folder.path().join("waf.damaged").exists());
        store.change(&[record("192.0.2.9/32", 5)], &[]).await.unwrap();
        assert_eq!(store.load().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn where_the_disk_fails_nothing_is_taken_as_safe() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("absent").join("waf"));
        let said = store.change(&[record("192.0.2.7/32", 5)], &[]).await.unwrap_err().to_string();
        assert!(said.contains("waf.file") && said.contains("absent"), "{said}");
        assert_eq!(store.load().await, Ok(vec![]));
    }
}
