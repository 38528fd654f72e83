//! Every part of the hot path: ns. The same parts whose instructions `make bench-instructions` counts.

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use weir_bench::parts::parts;

fn hot_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hot path");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(30);
    for part in parts() {
        let mut run = (part.ready)();
        group.bench_function(part.name, |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                run(times);
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
