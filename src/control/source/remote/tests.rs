//! A way to AWS that says what a test wants.

use super::*;
use std::collections::VecDeque;

/// What is said next, and whether what was said last is forgotten.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    next: VecDeque<Result<Answer, String>>,
    forgotten: u32,
}

impl Script {
    fn says(&self, answer: Result<Option<&str>, &str>) {
        let answer = answer.map(|text| Answer { text: text.map(|t| (t.to_owned(), format!("v-{t}"))), wait: None });
        self.0.lock().unwrap().next.push_back(answer.map_err(str::to_owned));
    }

    fn forgotten(&self) -> u32 {
        self.0.lock().unwrap().forgotten
    }
}

#[async_trait]
impl Way for Script {
    async fn fetch(&mut self, _anew: bool) -> Result<Answer, String> {
        let next = self.0.lock().unwrap().next.pop_front();
        match next {
            Some(answer) => answer,
            None => Err("nothing is left to say".into()),
        }
    }
    fn forget(&mut self) {
        self.0.lock().unwrap().forgotten += 1;
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    script: Script,
    remote: Remote,
}

fn remote(folder: tempfile::TempDir) -> Fixture {
    let script = Script::default();
    let options = Options { cache: Some(folder.path().join("cache")), ..Options::default() };
    let remote = Remote::new("ssm:/a".into(), Duration::from_secs(10), options, Box::new(script.clone()));
    Fixture { folder, script, remote }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn fetched(f: &Fixture, answer: Result<Option<&str>, &str>) -> (u64, Option<String>) {
    f.script.says(answer);
    let _ = run(f.remote.fetch(false));
    (f.remote.revision(), f.remote.latest().map(|t| t.text.clone()))
}

#[test]
fn only_another_text_is_a_new_revision() {
    let f = remote(tempfile::tempdir().unwrap());
    assert_eq!(fetched(&f, Ok(Some("a"))), (1, Some("a".into())));
    assert_eq!(fetched(&f, Ok(None)), (1, Some("a".into())));
    assert_eq!(fetched(&f, Ok(Some("a"))), (1, Some("a".into())));
    assert_eq!(fetched(&f, Err("away")), (1, Some("a".into())));
    assert_eq!(f.remote.status().failing.as_deref(), Some("away"));
    assert_eq!(f.script.forgotten(), 1);
    assert_eq!(fetched(&f, Ok(Some("b"))), (2, Some("b".into())));
    let status = f.remote.status();
    assert_eq!((status.fetches, status.failures, status.failing), (5, 1, None));
}

#[test]
fn the_last_good_one_is_what_was_accepted_and_a_start_without_aws_takes_it() {
    let f = remote(tempfile::tempdir().unwrap());
    fetched(&f, Ok(Some("good")));
    f.remote.accept(&f.remote.latest().unwrap());
    fetched(&f, Ok(Some("faulty")));
    let again = remote(f.folder);
    again.script.says(Err("away"));
    run(again.remote.begin()).unwrap();
    let text = again.remote.latest().unwrap();
    assert_eq!((text.text.as_str(), text.version.as_str(), text.cached), ("good", "v-good", true));
    again.remote.accept(&text);
    assert_eq!(again.remote.status().from, "cache");
    // AWS says the same: nothing to take anew, but it is AWS's word now.
    assert_eq!(fetched(&again, Ok(Some("good"))).0, 1);
    assert_eq!(again.remote.status().from, "aws");
    assert_eq!(fetched(&again, Ok(Some("new"))).0, 2);
}

#[test]
fn without_aws_and_without_a_last_good_one_it_is_said_where_it_was_sought() {
    let f = remote(tempfile::tempdir().unwrap());
    f.script.says(Err("AccessDenied"));
    let error = run(f.remote.begin()).unwrap_err();
    assert!(error.starts_with("ssm:/a: cannot be fetched: AccessDenied"), "{error}");
    assert!(error.contains("nothing is kept in") && error.ends_with("cache"), "{error}");
}

#[test]
fn a_faulty_text_at_the_start_gives_way_to_the_last_good_one_and_is_fetched_again() {
    let f = remote(tempfile::tempdir().unwrap());
    fetched(&f, Ok(Some("good")));
    f.remote.accept(&f.remote.latest().unwrap());
    let again = remote(f.folder);
    again.script.says(Ok(Some("faulty")));
    run(again.remote.begin()).unwrap();
    assert!(run(again.remote.fall_back()));
    assert_eq!(again.remote.latest().unwrap().text, "good");
    assert_eq!(again.script.forgotten(), 1);
    assert!(!run(remote(tempfile::tempdir().unwrap()).remote.fall_back()));
}
