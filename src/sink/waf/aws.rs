//! AWS WAF itself, through its SDK. One attempt a call: repeating is the writer's, so that nothing goes out unpaced.

use super::api::{ApiError, Content, Kind, SetRef, Sets};
use crate::config::settings::WafScope;
use crate::control::aws::sdk_config;
use async_trait::async_trait;
use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::config::retry::RetryConfig;
use aws_sdk_wafv2::config::timeout::TimeoutConfig;
use aws_sdk_wafv2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_wafv2::types::{IpAddressVersion, Scope};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::sleep;

/// For one attempt: a full set is half a megabyte.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The sets of CloudFront live here only.
const CLOUDFRONT_REGION: &str = "us-east-1";

/// Pages of the list: 100 sets make an account's quota.
const PAGE: i32 = 100;
const MOST_PAGES: usize = 10;

/// Between pages: the quota is 5 a second.
const PAGE_EVERY: Duration = Duration::from_millis(250);

/// The sets of one scope.
pub struct AwsSets {
    client: Client,
    scope: Scope,
}

impl AwsSets {
    /// By the machine's environment: credentials, Region and endpoint.
    pub async fn new(scope: WafScope) -> Self {
        let (scope, region) = match scope {
            WafScope::Regional => (Scope::Regional, None),
            WafScope::CloudFront => (Scope::Cloudfront, Some(CLOUDFRONT_REGION)),
        };
        let config = aws_sdk_wafv2::config::Builder::from(&sdk_config(region).await)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(ATTEMPT).connect_timeout(ATTEMPT).build())
            .build();
        Self { client: Client::from_conf(config), scope }
    }
}

#[async_trait]
impl Sets for AwsSets {
    async fn ids(&self, names: &[String]) -> Result<BTreeMap<String, String>, ApiError> {
        let (mut found, mut marker) = (BTreeMap::new(), None);
        for page in 0..MOST_PAGES {
            if page > 0 {
                sleep(PAGE_EVERY).await;
            }
            let call = self.client.list_ip_sets().scope(self.scope.clone()).limit(PAGE).set_next_marker(marker);
            let answer = call.send().await.map_err(|e| error(&e))?;
            for set in answer.ip_sets() {
                if let (Some(name), Some(id)) = (set.name(), set.id())
                    && names.iter().any(|wanted| wanted == name)
                {
                    found.insert(name.to_owned(), id.to_owned());
                }
            }
            // A marker comes with the last page too, where that is full.
            marker = answer.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() || found.len() == names.len() {
                break;
            }
        }
        Ok(found)
    }

    async fn get(&self, set: SetRef<'_>) -> Result<Content, ApiError> {
        let call = self.client.get_ip_set().scope(self.scope.clone()).name(set.name).id(set.id);
        let answer = call.send().await.map_err(|e| error(&e))?;
        let (Some(held), Some(token)) = (answer.ip_set, answer.lock_token) else {
            return Err(ApiError::new(Kind::Unreachable, "the answer holds no set, or no token"));
        };
        let ipv4 = held.ip_address_version == IpAddressVersion::Ipv4;
        // AWS tells none as empty, and takes no empty one.
        let description = held.description.filter(|text| !text.is_empty());
        Ok(Content { addresses: held.addresses, token, description, ipv4 })
    }

    async fn update(&self, set: SetRef<'_>, content: &Content) -> Result<String, ApiError> {
        let call = self.client.update_ip_set().scope(self.scope.clone()).name(set.name).id(set.id);
        let call = call.lock_token(&content.token).set_description(content.description.clone());
        let answer = call.set_addresses(Some(content.addresses.clone())).send().await.map_err(|e| error(&e))?;
        answer.next_lock_token.ok_or_else(|| ApiError::new(Kind::Unreachable, "the answer holds no token"))
    }
}

/// What the SDK's error means.
fn error<E, R>(error: &SdkError<E, R>) -> ApiError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: std::error::Error,
{
    let SdkError::ServiceError(answer) = error else {
        // No answer, or none that can be read: what was asked may have been done. Without credentials it was not, but
        // that passes in the same way.
        return ApiError::new(Kind::Unreachable, DisplayErrorContext(error).to_string());
    };
    let code = answer.err().code().unwrap_or("an answer without a code");
    let message = answer.err().message().unwrap_or("no more was said");
    ApiError::new(kind(code), format!("{code}: {message}"))
}

/// What a code means.
fn kind(code: &str) -> Kind {
    match code {
        "WAFOptimisticLockException" => Kind::Locked,
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" => Kind::Throttled,
        "WAFNonexistentItemException" => Kind::Missing,
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "InvalidSignatureException" => Kind::Denied,
        "WAFLimitsExceededException" => Kind::Limits,
        "WAFInvalidParameterException" | "WAFInvalidOperationException" | "ValidationException" => Kind::Invalid,
        // WAFInternalErrorException, a 5xx, or a code of the future: it may have been done.
        _ => Kind::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, wanted) in [
            ("WAFOptimisticLockException", Kind::Locked),
            ("ThrottlingException", Kind::Throttled),
            ("WAFNonexistentItemException", Kind::Missing),
            ("AccessDeniedException", Kind::Denied),
            ("WAFLimitsExceededException", Kind::Limits),
            ("WAFInvalidParameterException", Kind::Invalid),
            ("WAFInternalErrorException", Kind::Unreachable),
            ("something new", Kind::Unreachable),
        ] {
            assert_eq!(kind(code), wanted, "{code}");
        }
    }
}
