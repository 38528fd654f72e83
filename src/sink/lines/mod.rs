//! Stories as lines of text: JSON, or the columns of an ALB's access log.

pub mod alb;
mod json;
mod text;

use crate::event::address::Writing;
use crate::event::news::News;
use crate::event::story::Story;
use std::io;

/// Appends `story` to `out` as one JSON object, without a line's end.
///
/// # Errors
/// Never, into a vector; what was begun would then have to be cut off.
pub fn json(story: &Story<'_>, writing: &Writing, out: &mut Vec<u8>) -> io::Result<()> {
    match story {
        Story::Request(_, entry) => json::entry(&writing.entry(entry), out)?,
        Story::News(News::State(news)) => serde_json::to_writer(out, news)?,
        Story::News(News::Ban(news)) => {
            let mut told = serde_json::to_value(news)?;
            told["network"] = writing.network(news).into();
            serde_json::to_writer(out, &told)?;
        }
    }
    Ok(())
}
