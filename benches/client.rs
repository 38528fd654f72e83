//! Who the client is and whether it is on a list, at their worst; the usual is in `hot_path`.

use criterion::{Criterion, criterion_group, criterion_main};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use weir_bench::access::{cidr_set::CidrSet, list_file};
use weir_bench::client::{forwarded, proxy_protocol};
use weir_bench::dice::Dice;

const NETS: u32 = 100_000;

fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("client");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(30);
    let trusted = CidrSet::build(["10.0.0.0/8", "127.0.0.0/8"].map(|net| net.parse().expect("a network")));
    let peer = IpAddr::from([10, 0, 0, 1]);
    let list = "10.1.2.3, ".repeat(800) + "192.0.2.1";
    let far = "192.0.2.1, ".to_owned() + &"10.1.2.3, ".repeat(800) + "10.1.2.3";
    for (name, value) in [
        ("rightmost of three", "192.0.2.18, 198.51.100.178, 203.0.113.195"),
        ("8 KiB, rightmost", &list),
        ("8 KiB, leftmost", &far),
    ] {
        group.bench_function(format!("x-forwarded-for, {name}"), |bencher| {
            bencher.iter(|| {
                let values = [black_box(value).as_bytes()].into_iter();
                forwarded::from_right(values, |a| trusted.contains(a), black_box(peer))
            });
        });
    }
    let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    group.bench_function("proxy protocol v1", |bencher| bencher.iter(|| proxy_protocol::parse(black_box(v1))));
    group.finish();
}

/// Networks as lists have them: most in a few crowded parts of the address space.
fn nets(v6: bool, crowded: bool) -> Vec<IpNet> {
    let mut dice = Dice::new(1);
    let mut net = || {
        let (random, part) = (dice.wide(), dice.wide() % 200);
        if v6 {
            let high = if crowded { 0x2001_0db8_0000_0000 | part << 24 | random & 0xff_ffff } else { random | 1 << 61 };
            let address = Ipv6Addr::from(u128::from(high) << 64);
            return Ipv6Net::new(address, if crowded { 64 } else { 48 }).map(IpNet::V6);
        }
        let address =
            if crowded { (part as u32) << 18 | random as u32 & 0x3_ffff | 0x2d00_0000 } else { random as u32 };
        Ipv4Net::new(Ipv4Addr::from(address), 28 + (random >> 40) as u8 % 5).map(IpNet::V4)
    };
    (0..NETS).map(|_| net().expect("a prefix").trunc()).collect()
}

fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(30);
    for (name, v6, crowded) in
        [("IPv4", false, false), ("IPv4, crowded", false, true), ("IPv6", true, false), ("IPv6, crowded", true, true)]
    {
        let nets = nets(v6, crowded);
        let set = CidrSet::build(nets.iter().copied());
        println!("{name}: {} networks, {} KiB", set.len(), set.bytes() >> 10);
        let mut dice = Dice::new(2);
        // Half of them hit, in random order; 8 MiB of addresses would crowd the caches, so not that many.
        let addresses: Vec<IpAddr> = (0..16_384)
            .map(|n| {
                let random = dice.wide();
                if n % 2 == 0 {
                    nets[random as usize % nets.len()].addr()
                } else if v6 {
                    Ipv6Addr::from(u128::from(random | 1 << 61) << 64).into()
                } else {
                    Ipv4Addr::from(random as u32).into()
                }
            })
            .collect();
        let mut at = 0;
        group.bench_function(format!("contains, {name}"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % addresses.len();
                set.contains(black_box(addresses[at]))
            });
        });
        group.sample_size(10);
        group.bench_function(format!("build, {name}"), |bencher| {
            bencher.iter(|| CidrSet::build(black_box(&nets).iter().copied()));
        });
    }
    let text: String = nets(false, false).iter().map(|net| format!("{net}\n")).collect();
    group
        .bench_function("parse 100,000 lines", |bencher| bencher.iter(|| list_file::parse(black_box(text.as_bytes()))));
    group.finish();
}

criterion_group!(benches, headers, lists);
criterion_main!(benches);
