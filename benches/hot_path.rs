//! Every part of the hot path: CPU ns. The same parts whose instructions `make bench-instructions` counts.

mod cpu_time;

use cpu_time::spent;
use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;
use weir_bench::parts::parts;

fn hot_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hot path");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(30);
    for part in parts() {
        let mut run = (part.ready)();
        group.bench_function(part.name, |bencher| {
            bencher.iter_custom(|times| spent(|| run(times)));
        });
    }
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
