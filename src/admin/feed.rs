//! What the live page hears: an event a second, made once for all who watch, and not at all while nobody does.

use super::{Picture, Source};
use crate::control::timeline::Sample;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};

/// The most viewers at once.
pub(super) const VIEWERS: usize = 32;

/// How many events one answer carries; then the page asks again, and says what it has seen last.
const EVENTS: usize = 120;

/// A sign of life where there is nothing to tell.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The viewers, and what they hear next.
pub(super) struct Feed {
    source: Arc<dyn Source>,
    places: Arc<Semaphore>,
    newest: watch::Sender<Bytes>,
}

impl Feed {
    pub(super) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, places: Arc::new(Semaphore::new(VIEWERS)), newest: watch::Sender::new(Bytes::new()) }
    }

    /// Makes an event of every new sample, for as long as the server runs.
    pub(super) async fn run(self: Arc<Self>) {
        let mut samples = self.source.timeline().watch();
        loop {
            let news = tokio::time::timeout(HEARTBEAT, samples.changed()).await;
            if self.newest.receiver_count() == 0 {
                continue;
            }
            let event = match news {
                Err(_) => Bytes::from_static(b": nothing new\n\n"),
                // The timeline lives as long as its source.
                Ok(Err(_)) => return,
                Ok(Ok(())) => {
                    let source = self.source.clone();
                    // A panic there is the page's loss only.
                    let made = tokio::task::spawn_blocking(move || event(source.as_ref())).await;
                    let Ok(Some(event)) = made else { continue };
                    event
                }
            };
            self.newest.send_replace(event);
        }
    }

    /// The answer to one viewer. It gets the newest event whenever it has taken the last: one that is slow misses some,
    /// and nothing waits for it.
    pub(super) fn watch(&self, headers: &HeaderMap) -> Response {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let why = format!("{VIEWERS} viewers watch already: close one of them, or use weir top\n");
            return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], why).into_response();
        };
        let live = WatchStream::from_changes(self.newest.subscribe());
        let stream = tokio_stream::iter(self.missed(headers)).chain(live).take(EVENTS);
        let stream = stream.map(move |event| {
            // Held for as long as the stream is.
            let _ = &place;
            Ok::<_, Infallible>(event)
        });
        events(stream)
    }

    /// The seconds since the last one that the viewer has seen, if it says so.
    fn missed(&self, headers: &HeaderMap) -> Option<Bytes> {
        let last: u32 = headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()?;
        let rows = self.source.timeline().json(last.saturating_add(1), u32::MAX, 1);
        Some(format!("event: missed\ndata: {rows}\n\n").into())
    }
}

fn events(stream: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

/// The newest second with the picture of now.
fn event(source: &dyn Source) -> Option<Bytes> {
    let sample = source.timeline().last()?;
    Some(text(&sample, &source.picture())?.into())
}

/// JSON has no raw line break, so that one line of data is enough.
fn text(sample: &Sample, picture: &Picture) -> Option<String> {
    let picture = serde_json::to_string(picture).ok()?;
    Some(format!("id: {}\ndata: {{\"sample\":{},\"picture\":{picture}}}\n\n", sample.at, sample.json()))
}
