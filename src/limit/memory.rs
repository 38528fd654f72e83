//! The memory of tables: zeroed cache lines that cost nothing until touched. The one file here with `unsafe`.

use crate::base::sync::AtomicU64;
use std::ops::Deref;

/// Slots in a line; loom's model is kept small.
#[cfg(not(loom))]
pub(crate) const SLOTS: usize = 8;
#[cfg(loom)]
pub(crate) const SLOTS: usize = 2;

/// One cache line: one set of slots.
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [AtomicU64; SLOTS]);

/// Lines at a fixed place, all zero at first.
#[cfg(loom)]
pub(crate) struct Lines(Vec<Line>);

#[cfg(loom)]
impl Lines {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count.max(1)).map(|_| Line(std::array::from_fn(|_| AtomicU64::new(0)))).collect())
    }
}

#[cfg(loom)]
impl Deref for Lines {
    type Target = [Line];
    fn deref(&self) -> &[Line] {
        &self.0
    }
}

#[cfg(loom)]
pub(crate) fn prefetch(_line: &Line) {}

#[cfg(not(loom))]
pub(crate) use real::{Lines, prefetch};

#[cfg(not(loom))]
#[allow(unsafe_code, reason = "lazily zeroed aligned memory and prefetching have no safe form")]
mod real {
    use super::{Deref, Line};
    use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
    use std::ptr::NonNull;

    /// From this size on huge pages are asked for.
    const HUGE_FROM: usize = 4 << 20;
    const HUGE_PAGE: usize = 2 << 20;

    pub(crate) struct Lines {
        lines: NonNull<Line>,
        count: usize,
        block: NonNull<u8>,
        layout: Layout,
    }

    impl Lines {
        /// `count` zeroed lines, at least one.
        ///
        /// Why not a `Vec`: building one of atomics writes every page, and a zeroed allocation aligned to more than
        /// 16 bytes is written too by the C library. So the block is larger than needed and aligned by hand; its
        /// pages come when they are touched.
        pub(crate) fn new(count: usize) -> Self {
            let count = count.max(1);
            let bytes = count.checked_mul(size_of::<Line>()).expect("slots are counted in u32, so this fits");
            let align = if bytes >= HUGE_FROM { HUGE_PAGE } else { align_of::<Line>() };
            let layout = Layout::from_size_align(bytes + align, 8).expect("far below isize::MAX");
            // SAFETY: the layout's size is not zero.
            let Some(block) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { handle_alloc_error(layout) };
            let skip = block.as_ptr().align_offset(align);
            // SAFETY: `align_offset` of a byte pointer is below `align`, so `skip + bytes` stays inside the block.
            let lines = unsafe { block.add(skip) }.cast::<Line>();
            if bytes >= HUGE_FROM {
                ask_for_huge_pages(lines.cast(), bytes);
            }
            Self { lines, count, block, layout }
        }
    }

    /// Random reads of a large table miss the TLB on every line with small pages.
    fn ask_for_huge_pages(start: NonNull<u8>, bytes: usize) {
        // SAFETY: the range lies inside one allocation of ours and starts on a page; MADV_HUGEPAGE changes no
        // contents. Where the kernel refuses, small pages work as well, so the result does not matter.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (start, bytes);
    }

    impl Deref for Lines {
        type Target = [Line];
        #[inline]
        fn deref(&self) -> &[Line] {
            // SAFETY: `lines` is aligned for `Line`, `count` of them lie inside the block, which lives as long as
            // `self`; zero bytes are valid atomics, and nobody holds a unique reference to them.
            unsafe { std::slice::from_raw_parts(self.lines.as_ptr(), self.count) }
        }
    }

    impl Drop for Lines {
        fn drop(&mut self) {
            // SAFETY: `block` came from `alloc_zeroed` with this very layout and is given back once.
            unsafe { dealloc(self.block.as_ptr(), self.layout) }
        }
    }

    // SAFETY: `Lines` owns its block and hands out shared references to atomics only.
    unsafe impl Send for Lines {}
    // SAFETY: as above; atomics may be used from any thread.
    unsafe impl Sync for Lines {}

    /// Starts to load a line, so that several misses overlap.
    #[inline]
    pub(crate) fn prefetch(line: &Line) {
        let address = std::ptr::from_ref(line);
        // SAFETY: a prefetch reads nothing into the program and faults on no address; SSE is part of x86-64.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        }
        // SAFETY: as above; `prfm` is a hint of every AArch64.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = address;
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::sync::atomic::Ordering;

        #[test]
        fn lines_are_zero_aligned_and_apart() {
            // The last one is large enough for huge pages.
            for count in [0, 1, 3, 1000, HUGE_FROM / 64 + 1] {
                let lines = Lines::new(count);
                assert_eq!(lines.len(), count.max(1));
                assert_eq!(lines.as_ptr() as usize % 64, 0);
                for (i, line) in lines.iter().enumerate() {
                    for slot in &line.0 {
                        // Relaxed: one thread.
                        assert_eq!(slot.swap(i as u64 + 1, Ordering::Relaxed), 0);
                    }
                }
                prefetch(&lines[count.saturating_sub(1)]);
            }
        }
    }
}
