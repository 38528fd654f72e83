//! Counts the instructions of a part, with callgrind. A virtual machine has often no hardware counters, and these move
//! with nothing but the code: callgrind shows every program the same CPU.

use super::baseline::Toolchain;
use std::path::Path;
use std::process::Command;
use weir_bench::parts::Part;

/// How often a part is done while it is counted.
const TIMES: u64 = 4_096;

/// How often before: first times set up what later ones use.
const WARM: u64 = 512;

/// Does `part` under callgrind; only this function's inside is counted.
#[inline(never)]
fn counted(run: &mut dyn FnMut(u64)) {
    run(TIMES);
    std::hint::black_box(());
}

/// What the process under callgrind does.
pub(crate) fn work(part: &Part) {
    let mut run = (part.ready)();
    run(WARM);
    counted(&mut *run);
}

/// Instructions of one time of the part `name`, done by this program started anew with the argument `work`.
///
/// # Errors
/// Where callgrind can't be run or says nothing.
pub(crate) fn count(name: &str, folder: &Path) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let out = folder.join(name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*instructions*count*counted*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["work", name])
        // The copy and compare routines of the C library are chosen by CPU: everywhere the plain ones.
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-SSE4_2")
        .output()
        .map_err(|e| format!("cannot run valgrind: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("callgrind failed on \"{name}\" ({}):\n{said}", output.status));
    }
    let counts = std::fs::read_to_string(&out).map_err(|e| format!("callgrind left no {}: {e}", out.display()))?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse::<u64>().ok());
    match total {
        Some(total) if total > 0 => Ok(total as f64 / TIMES as f64),
        _ => Err(format!("callgrind counted nothing in \"{name}\":\n{said}")),
    }
}

/// What counts depend on besides the code.
///
/// # Errors
/// Where the compiler does not say its version.
pub(crate) fn toolchain() -> Result<Toolchain, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(&rustc).arg("--version").output().map_err(|e| format!("cannot run {rustc}: {e}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // memchr looks for AVX2 by itself.
    #[cfg(target_arch = "x86_64")]
    let target = if std::arch::is_x86_feature_detected!("avx2") { "x86_64 with AVX2" } else { "x86_64" };
    #[cfg(not(target_arch = "x86_64"))]
    let target = std::env::consts::ARCH;
    Ok(Toolchain { rustc: version, target: target.into() })
}
