//! Flows as datagrams of NetFlow version 9 (RFC 3954) or IPFIX (RFC 7011). Pure: bytes out, the time in.

use super::fields::{ALL_OTHERS, Field, PASSED_ON, Version, fields, nobody, uptime};
use super::flow::Flow;
use crate::base::units::Share;
use std::net::IpAddr;

/// The longest datagram: with its headers it passes any path that carries IPv6 tunnelled over Ethernet.
pub const MAX_DATAGRAM: usize = 1_400;

/// After how many datagrams templates are sent again, however fast they follow each other.
const TEMPLATES_EVERY: u32 = 20;

const IPV4: u16 = 256;
const IPV6: u16 = 257;
const SAMPLERS: u16 = 258;
const TOTALS: u16 = 259;

/// How much of what happened the flows are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selection {
    /// The share of requests passed on that have a record.
    pub forwarded: Share,
    /// Requests without a flow, since the start.
    pub without: u64,
}

/// Makes datagrams, one after the other, for one collector.
#[derive(Debug)]
pub struct Exporter {
    version: Version,
    domain: u32,
    boot_ms: u64,
    template_interval_ms: u64,
    /// Version 9: datagrams; IPFIX: data records.
    sequence: u32,
    since_templates: u32,
    templates_at: Option<u64>,
    flows: u64,
}

impl Exporter {
    /// One that began at `boot_ms`, milliseconds since 1970, and sends templates every `template_interval_ms`.
    pub fn new(version: Version, domain: u32, template_interval_ms: u64, boot_ms: u64) -> Self {
        Self {
            version,
            domain,
            boot_ms,
            template_interval_ms,
            sequence: 0,
            since_templates: 0,
            templates_at: None,
            flows: 0,
        }
    }

    /// Whether templates are due though there may be no flow.
    pub fn is_due(&self, now_ms: u64) -> bool {
        let late = |at: u64| now_ms.saturating_sub(at) >= self.template_interval_ms || now_ms < at;
        self.templates_at.is_none_or(late) || self.since_templates >= TEMPLATES_EVERY
    }

    /// Writes one datagram with as many of `flows`, from the first on, as there is room for, and says how many that are.
    /// Nothing is written where there is no flow and no template is due.
    pub fn datagram(&mut self, flows: &[Flow], selection: Selection, now_ms: u64, out: &mut Vec<u8>) -> usize {
        out.clear();
        let with_templates = self.is_due(now_ms);
        if flows.is_empty() && !with_templates {
            return 0;
        }
        let mut message = Message { version: self.version, bytes: out, records: 0, data_records: 0 };
        message.bytes.resize(self.version.header_len(), 0);
        if with_templates {
            message.templates();
            message.samplers(selection.forwarded);
            message.totals(self.domain, self.flows, selection.without);
            (self.since_templates, self.templates_at) = (0, Some(now_ms));
        }
        let taken = message.flows(flows, self.boot_ms);
        let (records, data_records) = (message.records, message.data_records);
        self.header(records, now_ms, out);
        self.flows += taken as u64;
        self.since_templates += 1;
        self.sequence = self.sequence.wrapping_add(match self.version {
            Version::V9 => 1,
            Version::Ipfix => data_records,
        });
        taken
    }

    fn header(&self, records: u16, now_ms: u64, out: &mut [u8]) {
        let len = out.len() as u16;
        let mut header = Vec::with_capacity(20);
        match self.version {
            Version::V9 => {
                // The next whole second: a collector finds the time of a flow by the difference of these two, exactly so.
                let second = now_ms / 1_000 + 1;
                header.extend(9u16.to_be_bytes());
                header.extend(records.to_be_bytes());
                header.extend(uptime(second * 1_000, self.boot_ms).to_be_bytes());
                header.extend((second as u32).to_be_bytes());
            }
            Version::Ipfix => {
                header.extend(10u16.to_be_bytes());
                header.extend(len.to_be_bytes());
                header.extend(((now_ms / 1_000) as u32).to_be_bytes());
            }
        }
        header.extend(self.sequence.to_be_bytes());
        header.extend(self.domain.to_be_bytes());
        out[..header.len()].copy_from_slice(&header);
    }
}

/// Sets of a datagram, written one behind the other.
struct Message<'a> {
    version: Version,
    bytes: &'a mut Vec<u8>,
    records: u16,
    data_records: u32,
}

impl Message<'_> {
    fn number(&mut self, number: u16) {
        self.bytes.extend(number.to_be_bytes());
    }

    /// A set with what `write` puts into it, filled up to whole words.
    fn set(&mut self, id: u16, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.number(id);
        self.number(0);
        write(self);
        let end = (self.bytes.len() - start).next_multiple_of(4) + start;
        self.bytes.resize(end, 0);
        self.bytes[start + 2..start + 4].copy_from_slice(&((end - start) as u16).to_be_bytes());
    }

    fn field(&mut self, field: Field) {
        let foreign = if field.enterprise.is_some() { 0x8000 } else { 0 };
        self.number(field.id | foreign);
        self.number(field.len);
        if let Some(enterprise) = field.enterprise {
            self.bytes.extend(enterprise.to_be_bytes());
        }
    }

    /// The templates of flows, and those of what is told about them.
    fn templates(&mut self) {
        let version = self.version;
        let id = match version {
            Version::V9 => 0,
            Version::Ipfix => 2,
        };
        self.set(id, |set| {
            for (id, address) in [(IPV4, IpAddr::from([0; 4])), (IPV6, IpAddr::from([0; 16]))] {
                let mut list = vec![];
                fields(version, &nobody(address), 0, &mut |field, _| list.push(field));
                set.number(id);
                set.number(list.len() as u16);
                list.into_iter().for_each(|field| set.field(field));
                set.records += 1;
            }
        });
        let (samplers, totals) = (version.sampler_fields(), version.totals_fields());
        self.options_template(SAMPLERS, &samplers);
        self.options_template(TOTALS, &totals);
    }

    /// The first field is the scope.
    fn options_template(&mut self, id: u16, list: &[Field]) {
        let set = match self.version {
            Version::V9 => 1,
            Version::Ipfix => 3,
        };
        self.set(set, |set| {
            set.number(id);
            match set.version {
                // Lengths in bytes: of the scope's fields, and of the others.
                Version::V9 => {
                    set.number(4);
                    set.number(list.len() as u16 * 4 - 4);
                }
                // Counts: of all fields, and of the scope's.
                Version::Ipfix => {
                    set.number(list.len() as u16);
                    set.number(1);
                }
            }
            list.iter().for_each(|field| set.field(*field));
            set.records += 1;
        });
    }

    fn samplers(&mut self, forwarded: Share) {
        // None where none is recorded.
        let one_in = (10_000 + u32::from(forwarded.0) / 2).checked_div(u32::from(forwarded.0)).unwrap_or(0);
        self.set(SAMPLERS, |set| {
            for (sampler, one_in, share) in [(PASSED_ON, one_in, f64::from(forwarded.0) / 1e4), (ALL_OTHERS, 1, 1.0)] {
                match set.version {
                    Version::V9 => {
                        // All of this exporter; the sampler; random (2) or each in its turn (1); one in how many.
                        set.bytes.extend(0u32.to_be_bytes());
                        set.bytes.extend([sampler, if one_in == 1 { 1 } else { 2 }]);
                        set.bytes.extend(one_in.to_be_bytes());
                    }
                    Version::Ipfix => {
                        // Uniform probabilistic (4), or systematic count-based (1).
                        let algorithm: u16 = if one_in == 1 { 1 } else { 4 };
                        set.bytes.push(sampler);
                        set.number(algorithm);
                        set.bytes.extend(u32::from(one_in > 0).to_be_bytes());
                        set.bytes.extend(one_in.saturating_sub(1).to_be_bytes());
                        set.bytes.extend(share.to_be_bytes());
                    }
                }
                set.records += 1;
                set.data_records += 1;
            }
        });
    }

    fn totals(&mut self, domain: u32, flows: u64, without: u64) {
        self.set(TOTALS, |set| {
            set.bytes.extend(domain.to_be_bytes());
            set.bytes.extend(flows.to_be_bytes());
            set.bytes.extend(without.to_be_bytes());
            set.records += 1;
            set.data_records += 1;
        });
    }

    /// As many of `flows` as there is room for, each in the set of its family.
    fn flows(&mut self, flows: &[Flow], boot_ms: u64) -> usize {
        // Two sets, each with a head and, at worst, three bytes to fill it up.
        let room = MAX_DATAGRAM - self.bytes.len() - 2 * (4 + 3);
        let (mut ipv4, mut ipv6, mut record) = (vec![], vec![], vec![]);
        let mut taken = 0;
        for flow in flows {
            record.clear();
            fields(self.version, flow, boot_ms, &mut |field, value| {
                debug_assert_eq!(usize::from(field.len), value.len());
                record.extend_from_slice(value);
            });
            if ipv4.len() + ipv6.len() + record.len() > room {
                break;
            }
            let set = if flow.client.is_ipv4() && flow.local.is_ipv4() { &mut ipv4 } else { &mut ipv6 };
            set.append(&mut record);
            taken += 1;
        }
        for (id, records) in [(IPV4, ipv4), (IPV6, ipv6)] {
            if !records.is_empty() {
                self.set(id, |set| set.bytes.extend(records));
            }
        }
        self.records += taken as u16;
        self.data_records += taken as u32;
        taken
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
