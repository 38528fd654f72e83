//! libFuzzer's way into `proxy_protocol`.
#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::proxy_protocol(input));
