//! stub
use super::document::Document;
use super::settings::Settings;
pub(super) fn check(_settings: &Settings, _document: &mut Document<'_>) {}
