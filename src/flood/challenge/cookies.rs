//! weir's cookie among a request's others.

/// Its name where the browser speaks TLS. The prefix makes browsers refuse one that another host planted.
pub const SECURE_NAME: &str = "__Host-weir";

/// Its name where it does not.
pub const PLAIN_NAME: &str = "weir";

/// Its values in some Cookie fields: the first of either name, so that a thousand others cost nothing.
pub(super) fn find<'a>(fields: impl Iterator<Item = &'a [u8]>) -> [Option<&'a [u8]>; 2] {
    let mut found = [None, None];
    for field in fields.filter(|f| mentions(f)) {
        for (name, value) in pairs(field) {
            match name {
                b"__Host-weir" if found[0].is_none() => found[0] = Some(value),
                b"weir" if found[1].is_none() => found[1] = Some(value),
                _ => {}
            }
        }
    }
    found
}

/// Whether weir's cookie may be in this field: nearly always a quick no.
pub fn mentions(field: &[u8]) -> bool {
    memchr::memmem::find(field, b"weir=").is_some()
}

/// The same cookies as one field, but for weir's own.
pub fn without_ours<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut kept = Vec::new();
    for piece in fields.flat_map(|f| f.split(|b| *b == b';')).map(<[u8]>::trim_ascii) {
        if !piece.is_empty() && !is_ours(pair(piece).0) {
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(piece);
        }
    }
    kept
}

fn is_ours(name: &[u8]) -> bool {
    name == SECURE_NAME.as_bytes() || name == PLAIN_NAME.as_bytes()
}

fn pairs(field: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    field.split(|b| *b == b';').map(|piece| pair(piece.trim_ascii()))
}

/// Name and value; without an equals sign it is all value.
fn pair(piece: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', piece) {
        Some(at) => (piece[..at].trim_ascii(), piece[at + 1..].trim_ascii()),
        None => (b"", piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(fields: &[&str]) -> [Option<String>; 2] {
        find(fields.iter().map(|f| f.as_bytes())).map(|v| v.map(|v| String::from_utf8_lossy(v).into_owned()))
    }

    fn kept(fields: &[&str]) -> String {
        String::from_utf8(without_ours(fields.iter().map(|f| f.as_bytes()))).unwrap()
    }

    #[test]
    fn the_first_of_either_name_is_found_wherever_it_stands() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found(&[]), [None, None]);
        assert_eq!(found(&["a=1; weir=x; b=2"]), [None, some("x")]);
        assert_eq!(found(&["a=1", "__Host-weir=y;weir=x"]), [some("y"), some("x")]);
        assert_eq!(found(&["weir=1; weir=2", "weir=3"]), [None, some("1")]);
        assert_eq!(found(&["a=1;  weir=  x  "]), [None, some("x")]);
        assert_eq!(found(&["myweir=1; weirs=2; Weir=3; a=weir=4; weir"]), [None, None]);
        assert_eq!(found(&["weir="]), [None, some("")]);
    }

    #[test]
    fn others_stay_as_they_are_in_one_field() {
        assert_eq!(kept(&["a=1; weir=x; b=2"]), "a=1; b=2");
        assert_eq!(kept(&["a=1;b=2 ", "weir=x", "__Host-weir=y; c=\"3\""]), "a=1; b=2; c=\"3\"");
        assert_eq!(kept(&["weir=x; weir=y", "__Host-weir=z"]), "");
        assert_eq!(kept(&["myweir=1; weirs=2; odd; =5"]), "myweir=1; weirs=2; odd; =5");
    }

    proptest! {
        #[test]
        fn nothing_of_ours_is_left(fields in proptest::collection::vec("(__Host-|)(weir|a|;|=| |x){0,12}", 0..6)) {
            let kept = without_ours(fields.iter().map(|f| f.as_bytes()));
            prop_assert_eq!(find(std::iter::once(&kept[..])), [None, None]);
        }
    }
}
