//! Amazon SNS: a readable text for people, the same JSON as the webhook's for programs.

use super::{Refused, Way};
use crate::control::alert::message::Message;
use crate::control::aws::{sdk_config, told};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::{Builder, Region};
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::json;
use std::time::Duration;

/// For one call, the SDK's own tries included.
const PATIENCE: Duration = Duration::from_secs(20);

/// One topic.
pub struct Topic {
    arn: String,
    client: Client,
}

impl Topic {
    /// The topic of this ARN, in its own Region.
    pub async fn new(arn: String) -> Self {
        let mut config = Builder::from(&sdk_config(None).await);
        if let Some(region) = arn.split(':').nth(3) {
            config = config.region(Region::new(region.to_owned()));
        }
        Self { arn, client: Client::from_conf(config.build()) }
    }
}

#[async_trait]
impl Way for Topic {
    async fn tell(&self, m: &Message) -> Result<(), Refused> {
        let program = serde_json::to_string(m).map_err(|e| Refused { why: e.to_string(), again: false })?;
        let body = json!({
            "default": m.text, "email": m.text, "sqs": program, "lambda": program, "http": program, "https": program,
        });
        let mut call = self.client.publish().topic_arn(&self.arn).subject(&m.subject);
        call = call.message_structure("json").message(body.to_string());
        for (name, value) in attributes(m) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            call = call.message_attributes(name, value.map_err(|e| Refused { why: e.to_string(), again: false })?);
        }
        if self.arn.ends_with(".fifo") {
            call = call.message_group_id(&m.alert).message_deduplication_id(dedup_id(&m.id));
        }
        match tokio::time::timeout(PATIENCE, call.send()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(Refused { why: told(&e), again: may_change(e.code()) }),
            Err(_) => Err(Refused { why: format!("no answer within {PATIENCE:?}"), again: true }),
        }
    }
}

/// What subscriptions filter by.
fn attributes(m: &Message) -> [(&'static str, String); 6] {
    [
        ("alert", m.alert.clone()),
        ("kind", m.kind.name().to_owned()),
        ("severity", m.severity.clone()),
        ("dedup_key", m.dedup_key.clone()),
        ("service", m.service.clone()),
        ("environment", m.environment.clone()),
    ]
}

/// Of a fixed length and of letters that a FIFO topic takes.
fn dedup_id(id: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether the same message may be taken later: a topic that is missing, or rights, may be mended.
fn may_change(code: Option<&str>) -> bool {
    !matches!(
        code,
        Some("InvalidParameter" | "InvalidParameterValue" | "ParameterValueInvalid" | "ValidationException")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::alert::engine::Kind;
    use crate::control::alert::message::fixture;

    #[test]
    fn subscriptions_can_filter_and_a_retry_is_no_second_message() {
        let m = fixture(Kind::Firing);
        let all = attributes(&m);
        assert!(all.contains(&("severity", "critical".into())) && all.contains(&("kind", "firing".into())));
        assert_eq!(dedup_id(&m.id), dedup_id(&m.id));
        assert_ne!(dedup_id(&m.id), dedup_id(&fixture(Kind::Cleared).id));
        assert_eq!(dedup_id(&m.id).len(), 64);
        assert!(may_change(None) && may_change(Some("NotFound")) && !may_change(Some("InvalidParameter")));
    }
}
