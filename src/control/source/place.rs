//! Where a config is: a file, or a name in AWS.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The longest name that AWS gives anything here.
const LONGEST: usize = 1_024;

/// How often AWS is asked for the config where nothing else is said.
const EVERY: Duration = Duration::from_secs(10);

/// AppConfig takes no shorter time between two polls.
const APP_CONFIG_LEAST: Duration = Duration::from_secs(15);

/// What `--config` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A parameter of SSM Parameter Store, by its path.
    Ssm(String),
    /// A profile of AWS AppConfig; each part is a name or an id.
    AppConfig {
        /// The application.
        application: String,
        /// The environment.
        environment: String,
        /// The configuration profile.
        profile: String,
    },
    /// An object in S3.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
}

impl Place {
    /// How often it is asked by itself, `wanted` where the operator says so. AppConfig may say another time itself.
    ///
    /// # Errors
    /// Where AWS does not take it so often.
    pub fn every(&self, wanted: Option<Duration>) -> Result<Duration, String> {
        let least = match self {
            Self::AppConfig { .. } => APP_CONFIG_LEAST,
            _ => Duration::from_secs(1),
        };
        match wanted {
            None => Ok(EVERY.max(least)),
            Some(wanted) if wanted < least => {
                Err(format!("--config-poll {wanted:?} is too often for {self}; expected {least:?} or more"))
            }
            Some(wanted) => Ok(wanted),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = if let Some(name) = text.strip_prefix("ssm:") {
            ssm(name)
        } else if let Some(rest) = text.strip_prefix("appconfig:") {
            app_config(rest)
        } else if let Some(rest) = text.strip_prefix("s3://") {
            s3(rest)
        } else {
            return if text.is_empty() {
                Err("expected the path of a file".into())
            } else {
                Ok(Self::File(text.into()))
            };
        };
        let place = place.map_err(|wanted| format!("{text:?} names no config; expected {wanted}"))?;
        if cfg!(feature = "aws") {
            Ok(place)
        } else {
            Err(format!("{text:?} is in AWS, and this weir was built without it; build it with --features aws"))
        }
    }
}

fn ssm(name: &str) -> Result<Place, &'static str> {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b':');
    let sound = name.len() > 1 && name.len() <= LONGEST && name.starts_with('/') && !name.ends_with('/');
    if sound && name.bytes().all(known) {
        Ok(Place::Ssm(name.into()))
    } else {
        Err("ssm:/PATH, such as ssm:/weir/config")
    }
}

fn app_config(rest: &str) -> Result<Place, &'static str> {
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        [application, environment, profile] if parts.iter().all(|p| is_name(p)) => Ok(Place::AppConfig {
            application: application.into(),
            environment: environment.into(),
            profile: profile.into(),
        }),
        _ => Err("appconfig:APPLICATION/ENVIRONMENT/PROFILE, such as appconfig:edge/production/weir"),
    }
}

fn s3(rest: &str) -> Result<Place, &'static str> {
    let bucket_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    match rest.split_once('/') {
        Some((bucket, key))
            if (3..=63).contains(&bucket.len()) && bucket.bytes().all(bucket_letter) && is_name(key) =>
        {
            Ok(Place::S3 { bucket: bucket.into(), key: key.into() })
        }
        _ => Err("s3://BUCKET/KEY, such as s3://my-configs/weir.toml"),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Ssm(name) => write!(f, "ssm:{name}"),
            Self::AppConfig { application, environment, profile } => {
                write!(f, "appconfig:{application}/{environment}/{profile}")
            }
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_names_nothing_in_aws() {
        for text in ["weir.toml", "/etc/weir.toml", "./ssm:x", "s3:x", "SSM:/x"] {
            assert_eq!(text.parse(), Ok(Place::File(text.into())), "{text}");
        }
        assert!("".parse::<Place>().is_err());
    }

    #[cfg(feature = "aws")]
    #[test]
    fn places_in_aws_are_read_and_written_again() {
        for text in ["ssm:/weir/config", "ssm:/a:3", "appconfig:edge/production/weir", "s3://my-configs/a/weir.toml"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn a_malformed_one_says_what_was_expected() {
        let long = format!("s3://bucket/{}", "k".repeat(LONGEST + 1));
        for (text, wanted) in [
            ("ssm:foo", "expected ssm:/PATH"),
            ("ssm:", "expected ssm:/PATH"),
            ("ssm:/", "expected ssm:/PATH"),
            ("ssm:/a b", "expected ssm:/PATH"),
            ("appconfig:a/b", "expected appconfig:APPLICATION/ENVIRONMENT/PROFILE"),
            ("appconfig:a/b/c/d", "expected appconfig:"),
            ("appconfig:a//c", "expected appconfig:"),
            ("s3://bucket", "expected s3://BUCKET/KEY"),
            ("s3://bucket/", "expected s3://BUCKET/KEY"),
            ("s3://b/key", "expected s3://BUCKET/KEY"),
            (&long, "expected s3://BUCKET/KEY"),
        ] {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[cfg(not(feature = "aws"))]
    #[test]
    fn without_aws_it_is_said_what_to_build() {
        for text in ["ssm:/a", "appconfig:a/b/c", "s3://bucket/key"] {
            assert!(text.parse::<Place>().unwrap_err().contains("--features aws"), "{text}");
        }
        assert!("ssm:foo".parse::<Place>().unwrap_err().contains("expected ssm:/PATH"));
    }

    #[test]
    fn nobody_asks_more_often_than_aws_takes() {
        let profile = Place::AppConfig { application: "a".into(), environment: "b".into(), profile: "c".into() };
        let seconds = Duration::from_secs;
        assert_eq!(Place::Ssm("/a".into()).every(None), Ok(seconds(10)));
        assert_eq!(Place::Ssm("/a".into()).every(Some(seconds(30))), Ok(seconds(30)));
        assert_eq!(profile.every(None), Ok(seconds(15)));
        assert!(profile.every(Some(seconds(14))).unwrap_err().contains("expected 15s or more"));
        assert!(Place::Ssm("/a".into()).every(Some(Duration::ZERO)).is_err());
    }
}
