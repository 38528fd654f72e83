//! What one call of PutLogEvents may hold: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>.

use crate::sink::pile::Item;

/// The most events of a call.
pub(super) const MAX_EVENTS: usize = 10_000;

/// The most bytes of a call, with [`BESIDE`] for each event.
pub(super) const MAX_BYTES: usize = 1_048_576;

/// What AWS counts beside the text of an event.
pub(super) const BESIDE: usize = 26;

/// The longest event.
pub(super) const MAX_EVENT: usize = MAX_BYTES - BESIDE;

/// The events of a call lie within 24 hours; a little less.
const MAX_SPAN_MS: u64 = 86_399_000;

/// The items of one call in the order of their time, and those that lie too far from the first.
pub(super) fn cut(mut items: Vec<Item>) -> (Vec<Item>, Vec<Item>) {
    items.sort_by_key(|item| item.unix_ms);
    let first = items.first().map_or(0, |item| item.unix_ms);
    let within = items.partition_point(|item| item.unix_ms - first <= MAX_SPAN_MS);
    let left = items.split_off(within);
    (items, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::pile::Pile;

    fn item(unix_ms: u64, len: usize) -> Item {
        Item { unix_ms, text: vec![b'x'; len].into() }
    }

    #[test]
    fn a_call_is_in_order_and_spans_less_than_a_day() {
        let day = 86_400_000;
        let (now, later) = cut([3 * day, 5, day, 1].map(|at| item(at, 1)).into());
        assert_eq!(now.iter().map(|i| i.unix_ms).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(later.iter().map(|i| i.unix_ms).collect::<Vec<_>>(), [day, 3 * day]);
        assert_eq!(cut(Vec::new()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_call_is_within_every_limit_and_as_full_as_can_be() {
        for (len, count) in [(1, MAX_EVENTS), (1_000, MAX_BYTES / 1_026), (MAX_EVENT, 1)] {
            let pile = Pile::new(usize::MAX);
            (0..MAX_EVENTS as u64 + 1).take(if len > 1_000 { 3 } else { usize::MAX }).for_each(|n| {
                pile.put(n, &vec![b'x'; len]);
            });
            let batch = pile.take(MAX_EVENTS, MAX_BYTES, BESIDE);
            assert_eq!(batch.len(), count, "{len}");
        }
    }
}
