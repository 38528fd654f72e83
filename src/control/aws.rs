//! One way to AWS for all that speaks to it: the SDK's default chain of credentials, Regions and endpoints
//! (`AWS_ENDPOINT_URL` and its kin), over rustls with ring.

use aws_config::{BehaviorVersion, Region, SdkConfig};
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
