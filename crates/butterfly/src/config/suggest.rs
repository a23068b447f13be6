//! The nearest known word to one that is not known.

/// The candidate nearest to `word`, when it is near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip, and one more for every four letters.
    let limit = 1 + word.chars().take(64).count() / 4;
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(word: &str, candidate: &str) -> usize {
    // The right name in the wrong section (`listen`, `app.listen`) is nearer than any slip of the pen.
    if last(word) == last(candidate) {
        return 1;
    }
    // The distance is at least the difference in length: no need to compare what is far longer.
    if word.len() > candidate.len() + 32 {
        return usize::MAX;
    }
    strsim::damerau_levenshtein(word, candidate)
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KEYS: [&str; 3] = ["http.listen", "http.max_body", "log.level"];

    #[test]
    fn slips_and_wrong_sections_find_their_key() {
        assert_eq!(nearest("http.lisen", KEYS), Some("http.listen"));
        assert_eq!(nearest("http_listen", KEYS), Some("http.listen"));
        assert_eq!(nearest("max_body", KEYS), Some("http.max_body"));
        assert_eq!(nearest("server.max_body", KEYS), Some("http.max_body"));
    }

    #[test]
    fn what_is_far_finds_nothing() {
        assert_eq!(nearest("databases", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest(&"x".repeat(100_000), KEYS), None);
    }
}
