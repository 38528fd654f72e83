//! One way to AWS for all that speaks to it: the SDK's default chain of credentials, Regions and endpoints
//! (`AWS_ENDPOINT_URL` and its kin), over rustls with ring.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::error::ProvideErrorMetadata;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// What the machine's environment says about AWS; `region` where a service lives in one Region only.
pub async fn sdk_config(region: Option<&'static str>) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    match region {
        Some(region) => loader.region(Region::from_static(region)).load().await,
        None => loader.load().await,
    }
}

/// The longest message of the SDK that is passed on.
const LONGEST: usize = 300;

/// What went wrong with a call, in a line: AWS's code and words, or what lies behind a call that did not get there.
pub fn told(error: &(impl ProvideErrorMetadata + std::error::Error)) -> String {
    let mut text = match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or("AWS says no more")),
        (None, _) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text += &format!(": {error}");
                cause = error.source();
            }
            text
        }
    };
    text.retain(|c| !c.is_control());
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
    }
    text
}
