//! The fleet's keys in the store, and the steps that the store itself takes in one.

use redis::Script;

/// All keys of one fleet; the braces keep them together where a store is spread over machines.
pub(super) struct Names {
    /// Hash: network → stamp and word. The whole state.
    pub(super) bans: String,
    /// Stream: what changed in it.
    pub(super) news: String,
    /// Stream: what the leader makes of all tasks, once a second.
    pub(super) digest: String,
    /// Stream: clients that earned credit.
    pub(super) history: String,
    /// Hash: task → its last heartbeat.
    pub(super) tasks: String,
    /// Who leads: a key that runs out.
    pub(super) leader: String,
    /// Random, made anew where the store has lost everything.
    pub(super) epoch: String,
    /// What challenge keys are derived from.
    pub(super) secret: String,
    /// Hash: what weir put into AWS WAF.
    pub(super) records: String,
    /// What a key begins with that says which task deals with something.
    pub(super) claim: String,
}

impl Names {
    pub(super) fn new(fleet: &str) -> Self {
        let key = |name: &str| format!("weir:{{{fleet}}}:{name}");
        Self {
            bans: key("bans"),
            news: key("news"),
            digest: key("digest"),
            history: key("history"),
            tasks: key("tasks"),
            leader: key("leader"),
            epoch: key("epoch"),
            secret: key("secret"),
            records: key("records"),
            claim: key("claim:"),
        }
    }
}

/// What runs inside the store, whole or not at all.
pub(super) struct Scripts {
    /// Keys: bans, news. Words: about, stamp, body, time. The later word stays; one from the future counts as none.
    pub(super) put: Script,
    /// Keys: a hash. Words: cursor, count, longest. Part of it, without what is too long, and how much that was.
    pub(super) scan: Script,
    /// Keys: bans. Words: about, stamp. Strikes a word out, unless it changed.
    pub(super) forget: Script,
    /// Keys: leader, epoch. Words: task, milliseconds, chance. Takes the lease or renews it. A store that has lost its
    /// memory may have lost a lease with it: it gives none until that would be over.
    pub(super) lead: Script,
    /// Keys: leader. Words: task. Gives the lease back.
    pub(super) yield_lead: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            put: Script::new(
                "local old = redis.call('HGET', KEYS[1], ARGV[1])
                 local had = old and string.match(old, '^(%d+ %S+) ')
                 if had and had >= ARGV[2] then
                     local ms = tonumber(string.match(had, '^%d+'))
                     if ms <= (redis.call('TIME')[1] + 60) * 1000 then return false end
                 end
                 redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
                 return redis.call('XADD', KEYS[2], 'MAXLEN', '~', 100000, '*',
                     'n', ARGV[1], 's', ARGV[2], 'v', ARGV[3], 'a', ARGV[4])",
            ),
            scan: Script::new(
                "local part = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
                 local rows, long = {}, 0
                 for i = 1, #part[2], 2 do
                     if #part[2][i] + #part[2][i + 1] <= tonumber(ARGV[3]) then
                         rows[#rows + 1] = part[2][i]
                         rows[#rows + 1] = part[2][i + 1]
                     else
                         long = long + 1
                     end
                 end
                 return {part[1], long, rows}",
            ),
            forget: Script::new(
                "local old = redis.call('HGET', KEYS[1], ARGV[1])
                 if old and string.sub(old, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
                     return redis.call('HDEL', KEYS[1], ARGV[1])
                 end
                 return 0",
            ),
            lead: Script::new(
                "local now = redis.call('TIME')
                 local ms = now[1] * 1000 + math.floor(now[2] / 1000)
                 local began = tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^(%d+) '))
                 if not began or began > ms then
                     redis.call('SET', KEYS[2], string.format('%d %s', ms, ARGV[3]))
                     return 0
                 end
                 if ms - began < tonumber(ARGV[2]) then return 0 end
                 local who = redis.call('GET', KEYS[1])
                 if who and who ~= ARGV[1] then return 0 end
                 redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
                 return 1",
            ),
            yield_lead: Script::new(
                "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
                 return 0",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_fleet_share_a_slot() {
        let names = Names::new("production");
        assert_eq!(names.bans, "weir:{production}:bans");
        assert!([&names.news, &names.leader, &names.records].iter().all(|key| key.contains(":{production}:")));
    }
}
