//! Passwords, read when they are needed.

use crate::config::settings::SecretPlace;

/// What stands in the `place` that `key` names, without the end of its line.
///
/// # Errors
/// Why it cannot be read.
pub(super) async fn read(key: &str, place: &SecretPlace) -> Result<String, String> {
    let reading = place.clone();
    let read = tokio::task::spawn_blocking(move || reading.read()).await.map_err(|e| e.to_string())?;
    let bytes = read.map_err(|e| format!("{key} {place}: cannot be read: {e}"))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}
