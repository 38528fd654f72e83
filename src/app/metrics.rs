//! Joins the way to CloudWatch with the figures of this weir.

use crate::admin::Source;
use crate::config::settings::CloudWatch;
use crate::sink::cloudwatch::{self, Handle, Sink};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A sink that has not begun, where the config asks for one.
pub(super) fn prepare(runtime: &Runtime, settings: &CloudWatch) -> Option<(Sink, Handle)> {
    settings.enabled.then(|| cloudwatch::sink(settings, runtime.block_on(cloudwatch::way(settings))))
}

/// Sends what `source` tells, until `stop`, and then what is left.
pub(super) fn send(
    runtime: &Runtime,
    sink: Sink,
    source: Arc<dyn Source>,
    stop: &watch::Sender<bool>,
) -> JoinHandle<()> {
    let _inside = runtime.enter();
    sink.start(Box::new(move || source.status()), stop.subscribe())
}
