//! Who this weir is: what ECS says of its task, or host, process and a random end where there is no ECS.

use super::identity::Identity;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use std::time::Duration;

/// Where the ECS agent tells a container of its task.
const VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";

/// For the answer: it is on the way to the first request.
const PATIENCE: Duration = Duration::from_secs(1);

/// The largest answer read; one with many containers has some tens of KiB.
const MAX_ANSWER: u64 = 256 << 10;

/// The longest name taken; ECS has none above 255.
const LONGEST: usize = 255;

/// What the metadata endpoint says of a task, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(rename = "TaskARN")]
    task_arn: String,
    cluster: Option<String>,
    family: Option<String>,
    revision: Option<String>,
    availability_zone: Option<String>,
}

/// Asks ECS, where there is one. Waits a second at most.
pub fn identify() -> Identity {
    let Ok(uri) = std::env::var(VARIABLE) else { return alone() };
    match ask(&uri) {
        Ok(identity) => identity,
        Err(why) => {
            tracing::warn!("{VARIABLE}: {uri:?}: {why}; this weir goes by its host's name");
            alone()
        }
    }
}

/// Host, process and a random end.
pub fn alone() -> Identity {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).and_then(|name| clean(&name));
    let mut end = [0; 4];
    // Without randomness host and process have to do.
    let _ = SystemRandom::new().fill(&mut end);
    let host = host.unwrap_or_else(|| "weir".into());
    let task = format!("{host}-{}-{:08x}", std::process::id(), u32::from_be_bytes(end));
    Identity { task, ..Identity::default() }
}

fn ask(uri: &str) -> Result<Identity, String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None).build().into();
    let mut answer =
        agent.get(format!("{}/task", uri.trim_end_matches('/'))).call().map_err(|e| format!("no answer: {e}"))?;
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
    read(&text.map_err(|e| format!("cannot be read: {e}"))?)
}

/// The identity in an answer of the metadata endpoint.
fn read(answer: &[u8]) -> Result<Identity, String> {
    let task: Task = serde_json::from_slice(answer).map_err(|e| format!("is no task of ECS: {e}"))?;
    // arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID; a cluster comes by its name or its ARN.
    let last = |arn: &str| clean(arn.rsplit('/').next().unwrap_or_default());
    let id = last(&task.task_arn).ok_or_else(|| format!("{:?} is no ARN of a task", shown(&task.task_arn)))?;
    let family = task.family.as_deref().and_then(clean);
    let revision = task.revision.as_deref().and_then(clean);
    Ok(Identity {
        task: id,
        cluster: task.cluster.as_deref().and_then(last),
        family: family.map(|family| revision.map_or(family.clone(), |revision| format!("{family}:{revision}"))),
        zone: task.availability_zone.as_deref().and_then(clean),
    })
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A name that can stand in a log and in a key.
fn clean(name: &str) -> Option<String> {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!name.is_empty() && name.len() <= LONGEST && name.bytes().all(sound)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{
        "Cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/edge",
        "TaskARN": "arn:aws:ecs:eu-central-1:111122223333:task/edge/158d1c8083dd49d6b527399fd6414f5c",
        "Family": "weir", "Revision": "26", "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING",
        "AvailabilityZone": "eu-central-1b", "LaunchType": "FARGATE", "Containers": [{"Name": "weir", "Ports": []}]
    }"#;

    #[test]
    fn the_parts_of_a_task_are_found() {
        let identity = read(ANSWER.as_bytes()).unwrap();
        assert_eq!(identity.task, "158d1c8083dd49d6b527399fd6414f5c");
        assert_eq!(identity.cluster.as_deref(), Some("edge"));
        assert_eq!(identity.family.as_deref(), Some("weir:26"));
        assert_eq!(identity.zone.as_deref(), Some("eu-central-1b"));
        let short = read(br#"{"TaskARN": "arn:aws:ecs:x:1:task/abc", "Cluster": "default"}"#).unwrap();
        assert_eq!((short.task.as_str(), short.cluster.as_deref(), short.family), ("abc", Some("default"), None));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_an_error() {
        for (answer, why) in [
            ("", "no task"),
            ("[]", "no task"),
            (r#"{"Cluster": "a"}"#, "no task"),
            (r#"{"TaskARN": "task/"}"#, "no ARN"),
            (r#"{"TaskARN": "a\nb"}"#, "no ARN"),
        ] {
            let error = read(answer.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{answer}: {error}");
        }
        let odd = read(br#"{"TaskARN": "abc", "AvailabilityZone": "a\u0000b"}"#).unwrap();
        assert_eq!(odd.zone, None);
    }

    #[test]
    fn without_ecs_no_two_are_the_same() {
        let (one, two) = (alone(), alone());
        assert!(one.task != two.task && one.task.contains(&std::process::id().to_string()), "{one:?}");
        assert_eq!((one.cluster, one.family, one.zone), (None, None, None));
    }
}
