//! PutMetricData, through the SDK. One attempt a call: repeating is the sender's, which knows what is safe to repeat.

use super::emf::Owner;
use super::gather::Datum;
use super::way::{Failure, Fate, Way};
use crate::control::aws::{sdk_config, told};
use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use std::error::Error;
use std::time::Duration;

/// For one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);

/// For the connection alone.
const CONNECT: Duration = Duration::from_secs(2);

/// From which size on requests are compressed: about ten data.
const COMPRESS_FROM: u32 = 1_024;

/// CloudWatch itself.
#[derive(Debug)]
pub struct Api {
    client: Client,
    owner: Owner,
}

impl Api {
    /// By the machine's environment: credentials, Region and endpoint.
    pub async fn new(owner: Owner) -> Self {
        let config = aws_sdk_cloudwatch::config::Builder::from(&sdk_config(None).await)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(ATTEMPT).connect_timeout(CONNECT).build())
            .request_min_compression_size_bytes(COMPRESS_FROM)
            .build();
        Self { client: Client::from_conf(config), owner }
    }

    fn datum(&self, of: &Datum) -> MetricDatum {
        let dimensions = self.owner.dimensions(of.series, of.dimension.as_deref());
        let dimensions =
            dimensions.into_iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let datum = MetricDatum::builder()
            .metric_name(of.series.name)
            .set_dimensions(Some(dimensions.collect()))
            .timestamp(DateTime::from_secs(of.at as i64))
            .unit(StandardUnit::from(of.series.unit()))
            .storage_resolution(of.seconds as i32);
        match of.values.as_slice() {
            [(value, 1.0)] => datum.value(*value),
            many => {
                let (values, counts) = many.iter().copied().unzip();
                datum.set_values(Some(values)).set_counts(Some(counts))
            }
        }
        .build()
    }
}

#[async_trait]
impl Way for Api {
    async fn put(&self, batch: &[Datum]) -> Result<(), Failure> {
        let data = batch.iter().map(|datum| self.datum(datum)).collect();
        let call = self.client.put_metric_data().namespace(&self.owner.namespace).set_metric_data(Some(data));
        call.send().await.map(drop).map_err(|e| failure(&e))
    }
}

fn failure<E, R>(error: &SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
    SdkError<E, R>: Error + ProvideErrorMetadata,
{
    let (kind, fate) = match error {
        SdkError::ConstructionFailure(_) => ("unreachable", Fate::NotTaken),
        SdkError::DispatchFailure(e) if e.is_user() || never_connected(error) => ("unreachable", Fate::NotTaken),
        SdkError::ServiceError(answer) => answered(answer.err().code().unwrap_or_default()),
        _ => ("unreachable", Fate::Unknown),
    };
    Failure { kind, fate, message: told(error) }
}

/// Whether there was no connection that a request could have gone out on.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if client.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What an answer's code says of the data.
fn answered(code: &str) -> (&'static str, Fate) {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "LimitExceeded"
        | "LimitExceededFault" => ("throttled", Fate::NotTaken),
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "NotAuthorized" => ("denied", Fate::NotTaken),
        "InvalidParameterValue"
        | "InvalidParameterValueException"
        | "InvalidParameterCombination"
        | "InvalidParameterCombinationException"
        | "MissingParameter"
        | "MissingRequiredParameterException"
        | "InvalidFormat"
        | "ValidationError"
        | "ValidationException"
        | "RequestEntityTooLarge" => ("invalid", Fate::Refused),
        // InternalServiceFault, a 5xx of something between, or a code of the future: an answer, and not that it was taken.
        _ => ("unavailable", Fate::NotTaken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, wanted) in [
            ("ThrottlingException", ("throttled", Fate::NotTaken)),
            ("AccessDenied", ("denied", Fate::NotTaken)),
            ("InvalidParameterValue", ("invalid", Fate::Refused)),
            ("InternalServiceFault", ("unavailable", Fate::NotTaken)),
            ("", ("unavailable", Fate::NotTaken)),
        ] {
            assert_eq!(answered(code), wanted, "{code}");
        }
    }
}
