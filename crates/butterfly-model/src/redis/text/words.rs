//! From text to words.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// Words that are in nearly every English text, sorted.
const STOP: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "for", "from", "had", "has", "have",
    "he", "her", "his", "i", "if", "in", "into", "is", "it", "its", "no", "not", "of", "on", "or", "she",
    "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// A longer word is cut: it is hardly one, and would be a key of its own.
const LONGEST: usize = 64;

/// What is written of a text for the scripts: `[length, word, count, word, count, ...]`, as JSON.
pub(in crate::redis) fn index(text: &str) -> String {
    let mut counts = BTreeMap::<String, u64>::new();
    let mut length = 0_u64;
    runs(text, |run| match run {
        Run::Word(word) => {
            if let Some(stem) = stem(word) {
                length += 1;
                *counts.entry(stem).or_default() += 1;
            }
        }
        Run::Signs(signs) => {
            length += signs.len() as u64;
            for sign in signs {
                *counts.entry(sign.to_string()).or_default() += 1;
            }
            for pair in signs.windows(2) {
                *counts.entry(pair.iter().collect()).or_default() += 1;
            }
        }
    });
    let mut parts = vec![serde_json::Value::from(length)];
    for (word, count) in counts {
        parts.push(word.into());
        parts.push(count.into());
    }
    serde_json::Value::from(parts).to_string()
}

/// The words that a part of a search asks for, all of them.
pub(super) fn asked(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    runs(text, |run| match run {
        Run::Word(word) => words.extend(stem(word)),
        Run::Signs([sign]) => words.push(sign.to_string()),
        Run::Signs(signs) => words.extend(signs.windows(2).map(|pair| pair.iter().collect::<String>())),
    });
    words
}

enum Run<'a> {
    Word(&'a str),
    Signs(&'a [char]),
}

fn runs(text: &str, mut found: impl FnMut(Run<'_>)) {
    let mut word = String::new();
    let mut signs = Vec::new();
    for letter in text.chars().flat_map(char::to_lowercase).chain(std::iter::once(' ')) {
        if is_sign(letter) {
            end_word(&mut word, &mut found);
            signs.push(letter);
            continue;
        }
        if !signs.is_empty() {
            found(Run::Signs(&signs));
            signs.clear();
        }
        if letter.is_alphanumeric() {
            word.push(letter);
        } else if !(letter == '\'' || letter == '’') || word.is_empty() {
            end_word(&mut word, &mut found);
        } else {
            word.push('\'');
        }
    }
}

fn end_word(word: &mut String, found: &mut impl FnMut(Run<'_>)) {
    let plain = word.trim_end_matches('\'');
    let plain = plain.strip_suffix("'s").unwrap_or(plain);
    if !plain.is_empty() {
        found(Run::Word(plain));
    }
    word.clear();
}

/// A word without its ending, if it counts.
fn stem(word: &str) -> Option<String> {
    if STOP.binary_search(&word).is_ok() {
        return None;
    }
    Some(if word.is_ascii() { cut(&ENGLISH.stem(word)) } else { cut(word) })
}

fn cut(word: &str) -> String {
    word.char_indices()
        .take_while(|(at, letter)| at + letter.len_utf8() <= LONGEST)
        .map(|(_, letter)| letter)
        .collect()
}

/// The beginnings by which a title is found while it is typed: its words as they are, and of signs every rest of a run.
pub(in crate::redis) fn beginnings(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    runs(text, |run| match run {
        Run::Word(word) => words.push(cut(word)),
        Run::Signs(signs) => {
            words.extend((0..signs.len()).map(|at| cut(&signs[at..].iter().collect::<String>())));
        }
    });
    words.sort();
    words.dedup();
    words
}

/// What was typed so far: the beginnings that are asked for, all of them.
pub(in crate::redis) fn typed(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    runs(text, |run| match run {
        Run::Word(word) => words.push(cut(word)),
        Run::Signs(signs) => words.push(cut(&signs.iter().collect::<String>())),
    });
    words
}

/// Whether a letter is of a writing without spaces: Han, Kana, Hangul, and Han of the later planes.
fn is_sign(letter: char) -> bool {
    matches!(letter,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_words_lose_their_endings_and_the_frequent_are_left_out() {
        assert!(STOP.is_sorted());
        assert_eq!(asked("The ponies were running, relationally!"), ["poni", "were", "run", "relat"]);
        assert_eq!(asked("Ann's dog's' C3PO—naïve"), ["ann", "dog", "c3po", "naïve"]);
        assert_eq!(asked("the of and"), [""; 0]);
        assert_eq!(asked(&"ä".repeat(100))[0].len(), 64);
    }

    #[test]
    fn titles_have_beginnings() {
        assert_eq!(beginnings("The Running of 全文检 the"), ["of", "running", "the", "全文检", "文检", "检"]);
        assert_eq!(typed("the ru全文"), ["the", "ru", "全文"]);
        assert_eq!(typed(" - "), [""; 0]);
    }

    #[test]
    fn chinese_becomes_pairs() {
        assert_eq!(asked("我爱Rust语言"), ["我爱", "rust", "语言"]);
        assert_eq!(asked("全文检索"), ["全文", "文检", "检索"]);
        assert_eq!(asked("茶"), ["茶"]);
        assert_eq!(index("茶茶"), r#"[2,"茶",2,"茶茶",1]"#);
        assert_eq!(index("run runs \" a"), r#"[2,"run",2]"#);
        assert_eq!(index(""), "[0]");
    }
}
