//! Turns on `cfg(loom)` for this crate alone.

fn main() {
    println!("cargo::rustc-cfg=loom");
    println!("cargo::rustc-check-cfg=cfg(loom)");
}
