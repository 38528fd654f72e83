//! The webhook: a POST of JSON, signed where there is a secret.

use super::{Refused, Way};
use crate::base::clock;
use crate::config::settings::Alerts;
use crate::control::alert::message::Message;
use crate::sink::https::Https;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use ring::hmac::{HMAC_SHA256, Key, sign};
use std::time::Duration;

/// For a whole answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The field with the signature.
pub const SIGNATURE: &str = "weir-signature";

/// One webhook. Its URL is never told: the path may be as good as a password.
pub struct Webhook {
    client: Https,
    url: String,
    key: Option<Key>,
}

impl Webhook {
    /// The one of the config, if there is one.
    ///
    /// # Errors
    /// Where its certificates can't be read.
    pub fn new(alerts: &Alerts) -> Result<Option<Self>, String> {
        let Some(url) = alerts.webhook.clone() else { return Ok(None) };
        let client = Https::new(alerts.webhook_ca_file.as_deref(), PATIENCE)?;
        let key = alerts.webhook_secret.as_ref().map(|secret| Key::new(HMAC_SHA256, secret.bytes()));
        Ok(Some(Self { client, url, key }))
    }
}

#[async_trait]
impl Way for Webhook {
    async fn tell(&self, message: &Message) -> Result<(), Refused> {
        let again = |why: String| Refused { why, again: true };
        let body = serde_json::to_vec(message).map_err(|e| Refused { why: e.to_string(), again: false })?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("weir/", env!("CARGO_PKG_VERSION"))));
        if let Some(key) = &self.key {
            let unix = clock::unix_nanos(clock::now()) / 1_000_000_000;
            let signed = signature(key, unix, &body);
            headers.insert(SIGNATURE, HeaderValue::from_str(&signed).map_err(|e| again(e.to_string()))?);
        }
        let answer = self.client.send(Method::POST, &self.url, headers, Bytes::from(body)).await.map_err(again)?;
        match answer.status {
            status if status.is_success() => Ok(()),
            status => Err(Refused { why: format!("it answers {}", status.as_u16()), again: may_change(status) }),
        }
    }
}

/// Whether the same message may be taken later.
fn may_change(status: StatusCode) -> bool {
    !status.is_client_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
}

/// `t=UNIX,v1=HEX`: the HMAC-SHA256 of the time, a point, and the body.
pub fn signature(key: &Key, unix: u64, body: &[u8]) -> String {
    let signed = [format!("{unix}.").as_bytes(), body].concat();
    let hex: String = sign(key, &signed).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={unix},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_others() {
        // printf '1700000000.{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:(32 times 6b)
        let key = Key::new(HMAC_SHA256, &[b'k'; 32]);
        assert_eq!(
            signature(&key, 1_700_000_000, b"{}"),
            "t=1700000000,v1=0b3b35525c10b3757ffa78df69037021fc3168d8390a51a4fcb4a8d56a25b557"
        );
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        for (status, again) in
            [(400, false), (401, false), (404, false), (408, true), (429, true), (500, true), (503, true), (302, true)]
        {
            assert_eq!(may_change(StatusCode::from_u16(status).unwrap()), again, "{status}");
        }
    }
}
