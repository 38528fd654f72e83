//! libFuzzer's way into `chunked_body`.
#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::chunked_body(input));
