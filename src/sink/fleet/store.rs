//! The way to the store: addresses, passwords, TLS, and what is asked of it.

use super::names::{Names, Scripts};
use crate::config::settings;
use crate::control::bans::Word;
use crate::sink::secret;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisResult, TlsCertificates};
use std::path::Path;
use std::time::Duration;

/// For a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// For a command's answer.
const COMMAND: Duration = Duration::from_secs(1);
/// How long a read waits for news.
pub(super) const BLOCK: Duration = Duration::from_secs(1);

/// The largest file of certificates.
const MAX_FILE: usize = 1 << 20;
/// Rows of a hash that are read at most: more than any fleet has, and no more than memory bears.
const MAX_ROWS: usize = 250_000;
/// Rows of a hash that are asked for at once.
const PART: usize = 500;

/// A row of a hash.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// An entry of a stream: its id, and its fields.
pub(super) type Entry = (String, Vec<(Vec<u8>, Vec<u8>)>);

/// Both connections of one session: one answers at once, the other waits for news.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) quick: MultiplexedConnection,
    pub(super) waiting: MultiplexedConnection,
}

/// Connects as the config says. The password is read anew each time, and never shown.
///
/// # Errors
/// Why not, in words.
pub(super) async fn connect(settings: &settings::Fleet, scripts: &Scripts) -> Result<Connection, String> {
    let info = settings.url.as_str().into_connection_info().map_err(|e| format!("fleet.url: {e}"))?;
    let mut login = info.redis_settings().clone();
    if let Some(user) = &settings.user {
        login = login.set_username(user);
    }
    if let Some(place) = &settings.password_file {
        login = login.set_password(secret::read("fleet.password_file", place).await?);
    }
    let info = info.set_redis_settings(login);
    let client = match &settings.ca_file {
        Some(path) if settings.url.starts_with("rediss:") => {
            let root_cert = Some(read("fleet.ca_file", path).await?);
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })
        }
        _ => Client::open(info),
    };
    let client = client.map_err(|e| e.to_string())?;
    let config =
        |answer| AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(answer));
    let (quick, waiting) = (config(COMMAND), config(BLOCK + COMMAND));
    let mut quick = client.get_multiplexed_async_connection_with_config(&quick).await.map_err(|e| e.to_string())?;
    let waiting = client.get_multiplexed_async_connection_with_config(&waiting).await.map_err(|e| e.to_string())?;
    for script in [&scripts.put, &scripts.scan, &scripts.forget, &scripts.lead, &scripts.yield_lead] {
        script.load_async(&mut quick).await.map_err(|e| e.to_string())?;
    }
    Ok(Connection { quick, waiting })
}

impl Connection {
    /// The rows of a hash that are no longer than `longest`, and how many were.
    pub(super) async fn scan(&mut self, scripts: &Scripts, key: &str, longest: usize) -> RedisResult<(Vec<Row>, u64)> {
        let (mut rows, mut cursor, mut left_out) = (Vec::new(), "0".to_owned(), 0);
        loop {
            let mut part = scripts.scan.key(key);
            let part = part.arg(&cursor).arg(PART).arg(longest);
            let (next, long, found): (String, u64, Vec<Row>) = part.invoke_async(&mut self.quick).await?;
            rows.extend(found);
            left_out += long;
            if next == "0" || rows.len() >= MAX_ROWS {
                return Ok((rows, left_out));
            }
            cursor = next;
        }
    }

    /// The first bytes of a string.
    pub(super) async fn head<T: redis::FromRedisValue>(&mut self, key: &str, bytes: usize) -> RedisResult<T> {
        redis::cmd("GETRANGE").arg(key).arg(0).arg(bytes - 1).query_async(&mut self.quick).await
    }

    /// The id of the last entry of a stream.
    pub(super) async fn last_id(&mut self, key: &str) -> RedisResult<String> {
        let found: Vec<Entry> =
            redis::cmd("XREVRANGE").arg(key).arg("+").arg("-").arg("COUNT").arg(1).query_async(&mut self.quick).await?;
        Ok(found.into_iter().next().map_or_else(|| "0-0".into(), |(id, _)| id))
    }

    /// Whether entries after `id` were dropped from a stream before anybody here read them.
    pub(super) async fn has_gap(&mut self, key: &str, id: &str) -> RedisResult<bool> {
        let found: Vec<Entry> =
            redis::cmd("XRANGE").arg(key).arg("-").arg("+").arg("COUNT").arg(1).query_async(&mut self.quick).await?;
        Ok(found.first().is_some_and(|(first, _)| order(first) > order(id)))
    }

    /// Waits for entries of streams behind these ids; none where the wait was in vain.
    pub(super) async fn read(&mut self, from: &[(&str, &str)], most: usize) -> RedisResult<Vec<(String, Vec<Entry>)>> {
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(most).arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("STREAMS");
        for word in from.iter().map(|(key, _)| key).chain(from.iter().map(|(_, id)| id)) {
            read.arg(*word);
        }
        let found: Option<Vec<(String, Vec<Entry>)>> = read.query_async(&mut self.waiting).await?;
        Ok(found.unwrap_or_default())
    }
}

/// Sends words, the later of two of one network stays; the ids of the news that it made.
pub(super) async fn put(
    quick: &mut MultiplexedConnection,
    scripts: &Scripts,
    names: &Names,
    words: &[Word],
    at_ms: u64,
) -> RedisResult<Vec<Option<String>>> {
    let mut pipe = redis::pipe();
    for word in words {
        let put = pipe.cmd("EVALSHA").arg(scripts.put.get_hash()).arg(2).arg(&names.bans).arg(&names.news);
        put.arg(&word.about).arg(word.stamp.to_string()).arg(&word.body).arg(at_ms);
    }
    pipe.query_async(quick).await
}

/// An id's place in its stream; what is none comes first.
pub(super) fn order(id: &str) -> (u64, u64) {
    let (ms, number) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), number.parse().unwrap_or(0))
}

/// A field of an entry, as text of at most `longest` bytes.
pub(super) fn field<'a>(entry: &'a [(Vec<u8>, Vec<u8>)], name: &str, longest: usize) -> Option<&'a str> {
    let value = &entry.iter().find(|(key, _)| key == name.as_bytes())?.1;
    (value.len() <= longest).then(|| std::str::from_utf8(value).ok()).flatten()
}

async fn read(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    let text = tokio::fs::read(path).await.map_err(|e| format!("{key} {}: cannot be read: {e}", path.display()))?;
    if text.len() > MAX_FILE {
        return Err(format!("{key} {}: is {} bytes long; at most {MAX_FILE} are read", path.display(), text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_as_numbers() {
        assert!(order("9-1") < order("10-0") && order("10-2") < order("10-10"));
        assert_eq!((order(""), order("x-y"), order("7")), ((0, 0), (0, 0), (7, 0)));
    }

    #[test]
    fn a_field_that_is_too_long_or_no_text_is_none() {
        let entry = [(b"n".to_vec(), b"text".to_vec()), (b"x".to_vec(), vec![255])];
        assert_eq!(field(&entry, "n", 4), Some("text"));
        assert_eq!((field(&entry, "n", 3), field(&entry, "x", 9), field(&entry, "y", 9)), (None, None, None));
    }
}
