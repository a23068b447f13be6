//! From a search to steps that a script reads: words are asked for together, `OR` stands between such groups, `NOT` before
//! what is not to be there, and parentheses hold together. What makes no sense is passed over, since people type searches.

use super::words::asked;

/// Deeper parentheses are passed over.
const DEEPEST: usize = 32;

/// The steps, in reverse Polish notation; none where no word is left to ask for.
pub(in crate::redis) fn ask(
    text: &str,
    word: &mut dyn FnMut(String) -> Vec<Vec<u8>>,
) -> Option<Vec<Vec<u8>>> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let parts: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { parts: &parts, word };
    let mut all = None;
    // A closing parenthesis too many ends nothing.
    while !reader.parts.is_empty() {
        let group = reader.either(0);
        all = joined(all, group, "and");
        reader.parts = reader.parts.get(1..).unwrap_or_default();
    }
    all
}

type Steps = Vec<Vec<u8>>;

struct Reader<'a, 'w> {
    parts: &'a [&'a str],
    word: &'w mut dyn FnMut(String) -> Steps,
}

impl Reader<'_, '_> {
    fn either(&mut self, depth: usize) -> Option<Steps> {
        let mut all = self.together(depth);
        while self.parts.first() == Some(&"OR") {
            self.parts = &self.parts[1..];
            let group = self.together(depth);
            all = joined(all, group, "or");
        }
        all
    }

    fn together(&mut self, depth: usize) -> Option<Steps> {
        let (mut all, mut without) = (None, None);
        let mut not = false;
        while let Some((part, rest)) = self.parts.split_first() {
            if matches!(*part, "OR" | ")") {
                break;
            }
            self.parts = rest;
            let found = match *part {
                "AND" => continue,
                "NOT" => {
                    not = true;
                    continue;
                }
                "(" if depth < DEEPEST => {
                    let found = self.either(depth + 1);
                    if self.parts.first() == Some(&")") {
                        self.parts = &self.parts[1..];
                    }
                    found
                }
                text => asked(text).into_iter().fold(None, |all, word| {
                    let word = (self.word)(word);
                    joined(all, Some(word), "and")
                }),
            };
            if std::mem::take(&mut not) {
                without = joined(without, found, "or");
            } else {
                all = joined(all, found, "and");
            }
        }
        match (all, without) {
            // What is not to be there alone asks for nothing: it would be nearly everything.
            (Some(all), Some(without)) => joined(Some(all), Some(without), "but"),
            (all, _) => all,
        }
    }
}

fn joined(left: Option<Steps>, right: Option<Steps>, how: &str) -> Option<Steps> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.extend(right);
            left.push(how.into());
            Some(left)
        }
        (left, right) => left.or(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> String {
        let steps = ask(text, &mut |word| vec![word.into_bytes()]).unwrap_or_default();
        String::from_utf8(steps.join(&b' ')).unwrap()
    }

    #[test]
    fn searches_are_read() {
        assert_eq!(steps("red cars"), "red car and");
        assert_eq!(steps("red OR blue cars"), "red blue car and or");
        assert_eq!(steps("(red OR blue) AND cars"), "red blue or car and");
        assert_eq!(steps("red NOT (blue green)"), "red blue green and but");
        assert_eq!(steps("全文检索"), "全文 文检 and 检索 and");
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        assert_eq!(steps("the"), "");
        assert_eq!(steps("NOT red"), "");
        assert_eq!(steps(") red ( ) OR ( blue"), "red blue or");
        assert_eq!(steps("OR AND NOT ()"), "");
        assert_eq!(steps(&format!("{}red", "(".repeat(100_000))), "red");
    }
}
