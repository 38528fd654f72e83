//! The ways to a text in AWS: SSM Parameter Store, AppConfig, S3.

use super::place::Place;
use super::remote::{Answer, Way};
use crate::config::MAX_CONFIG_BYTES;
use crate::control::aws::{sdk_config, told};
use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The way to `place`, which is no file.
pub(super) fn way(place: Place, every: Option<Duration>) -> Box<dyn Way> {
    match place {
        Place::Ssm(name) => Box::new(Ssm { name, client: None, version: None }),
        Place::S3 { bucket, key } => Box::new(S3 { bucket, key, client: None, etag: None }),
        Place::AppConfig { application, environment, profile } => {
            Box::new(AppConfig { application, environment, profile, every, client: None, token: None })
        }
        Place::File(path) => Box::new(NoWay(path.display().to_string())),
    }
}

/// What is not in AWS.
struct NoWay(String);

#[async_trait]
impl Way for NoWay {
    async fn fetch(&mut self, _anew: bool) -> Result<Answer, String> {
        Err(format!("{} is a file", self.0))
    }
    fn forget(&mut self) {}
}

/// What was fetched, as text.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() > MAX_CONFIG_BYTES {
        return Err("is larger than 1MiB; move long lists to files of their own".into());
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        format!("is not UTF-8 text (line {line})")
    })
}

struct Ssm {
    name: String,
    client: Option<aws_sdk_ssm::Client>,
    version: Option<i64>,
}

#[async_trait]
impl Way for Ssm {
    async fn fetch(&mut self, _anew: bool) -> Result<Answer, String> {
        let client = match &self.client {
            Some(client) => client,
            None => self.client.insert(aws_sdk_ssm::Client::new(&sdk_config(None).await)),
        };
        let asked = client.get_parameter().name(&self.name).with_decryption(true).send().await;
        let parameter = asked.map_err(|e| told(&e))?.parameter.ok_or("the answer holds no parameter")?;
        let version = parameter.version();
        if self.version == Some(version) {
            return Ok(Answer::default());
        }
        let text = text(parameter.value.unwrap_or_default().into_bytes())?;
        self.version = Some(version);
        Ok(Answer { text: Some((text, version.to_string())), wait: None })
    }
    fn forget(&mut self) {
        self.version = None;
    }
}

struct S3 {
    bucket: String,
    key: String,
    client: Option<aws_sdk_s3::Client>,
    etag: Option<String>,
}

#[async_trait]
impl Way for S3 {
    async fn fetch(&mut self, _anew: bool) -> Result<Answer, String> {
        let client = match &self.client {
            Some(client) => client,
            None => self.client.insert(aws_sdk_s3::Client::new(&sdk_config(None).await)),
        };
        let asked = client.get_object().bucket(&self.bucket).key(&self.key).set_if_none_match(self.etag.clone());
        let object = match asked.send().await {
            Ok(object) => object,
            Err(e) if e.raw_response().is_some_and(|r| r.status().as_u16() == 304) => return Ok(Answer::default()),
            Err(e) => return Err(told(&e)),
        };
        let (etag, version) = (object.e_tag, object.version_id);
        let mut bytes = Vec::new();
        let mut body = object.body.into_async_read().take(MAX_CONFIG_BYTES as u64 + 1);
        body.read_to_end(&mut bytes).await.map_err(|e| format!("the object cannot be read: {e}"))?;
        let text = text(bytes)?;
        let named = version.or_else(|| etag.clone()).unwrap_or_default();
        self.etag = etag;
        Ok(Answer { text: Some((text, named.trim_matches('"').to_owned())), wait: None })
    }
    fn forget(&mut self) {
        self.etag = None;
    }
}

struct AppConfig {
    application: String,
    environment: String,
    profile: String,
    /// As the operator wants it; else AppConfig says how often it may be asked.
    every: Option<Duration>,
    client: Option<aws_sdk_appconfigdata::Client>,
    /// Good for one question.
    token: Option<String>,
}

#[async_trait]
impl Way for AppConfig {
    async fn fetch(&mut self, anew: bool) -> Result<Answer, String> {
        let client = match &self.client {
            Some(client) => client,
            None => {
                // A token that was sent once may be used up, so that the SDK must not send it again.
                let sdk = sdk_config(None).await.into_builder().retry_config(RetryConfig::disabled()).build();
                self.client.insert(aws_sdk_appconfigdata::Client::new(&sdk))
            }
        };
        // AppConfig may refuse a session that comes back before its time; a new one can always ask.
        let kept = self.token.take().filter(|_| !anew);
        let is_new = kept.is_none();
        let token = match kept {
            Some(token) => token,
            None => {
                let seconds = self.every.and_then(|every| i32::try_from(every.as_secs()).ok());
                let session = client
                    .start_configuration_session()
                    .application_identifier(&self.application)
                    .environment_identifier(&self.environment)
                    .configuration_profile_identifier(&self.profile)
                    .set_required_minimum_poll_interval_in_seconds(seconds);
                let session = session.send().await.map_err(|e| told(&e))?;
                session.initial_configuration_token.ok_or("the answer holds no token")?
            }
        };
        let answer = client.get_latest_configuration().configuration_token(token).send().await;
        let answer = answer.map_err(|e| told(&e))?;
        self.token = answer.next_poll_configuration_token;
        let wait = u64::try_from(answer.next_poll_interval_in_seconds).ok().map(Duration::from_secs);
        let bytes = answer.configuration.map(aws_sdk_appconfigdata::primitives::Blob::into_inner).unwrap_or_default();
        if bytes.is_empty() {
            return if is_new {
                Err("it is empty: nothing is deployed there".into())
            } else {
                Ok(Answer { text: None, wait })
            };
        }
        let version = answer.version_label.unwrap_or_else(|| format!("{:08x}", crc32fast::hash(&bytes)));
        Ok(Answer { text: Some((text(bytes)?, version)), wait })
    }
    fn forget(&mut self) {
        self.token = None;
    }
}
