//! Any text as a config: it loads or is refused with faults, and what loads differs in nothing from itself.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match weir::config::load_str(text, "fuzz.toml") {
        Ok(loaded) => assert_eq!(weir::config::diff(&loaded.settings, &loaded.settings), []),
        Err(faults) => {
            assert!(!faults.list.is_empty());
            assert!(!faults.to_string().is_empty());
        }
    }
});
