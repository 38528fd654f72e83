//! libFuzzer's way into `gateway_line`.
#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::gateway_line(input));
