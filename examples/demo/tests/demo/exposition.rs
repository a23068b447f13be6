//! The Prometheus text format, version 0.0.4, read strictly.

use std::collections::{BTreeMap, BTreeSet};

/// The figures of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// Family to type.
    pub(crate) families: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

type Labels = Vec<(String, String)>;

impl Exposition {
    /// Reads a scrape; panics at the first thing that the format does not allow.
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line must end");
        let mut all = Self::default();
        let (mut current, mut helped) = (String::new(), BTreeSet::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()) && !text.is_empty(), "{line}");
                name.clone_into(&mut current);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(name == current && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(all.families.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            } else {
                all.sample(line, &current);
            }
        }
        all.check_histograms();
        all
    }

    fn sample(&mut self, line: &str, family: &str) {
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, rest) = line.split_at(end);
        let (labels, value) = labels(rest);
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} stands in {family}"));
        match self.families[family].as_str() {
            "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
            _ => assert_eq!(suffix, "", "{line}"),
        }
        assert_eq!(self.families[family] == "counter", name.ends_with("_total"), "{line}");
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(self.samples.insert((name.to_owned(), labels), value).is_none(), "twice: {line}");
    }

    /// The value of a sample with these labels, in any order.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut labels: Labels =
            labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        labels.sort();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// All values of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|((known, _), _)| known == name).map(|(_, value)| value).sum()
    }

    /// Buckets never fall, and the last is the count.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(&str, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            let Some(family) = name.strip_suffix("_bucket") else { continue };
            let (le, others): (Labels, Labels) = labels.iter().cloned().partition(|(name, _)| name == "le");
            let bound = le[0].1.parse().unwrap();
            buckets.entry((family, others)).or_default().push((bound, *value));
        }
        for ((family, labels), mut all) in buckets {
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(all.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{family}{labels:?}: {all:?}");
            let (bound, last) = *all.last().unwrap();
            assert!(bound.is_infinite(), "{family}{labels:?} has no +Inf");
            assert_eq!(self.samples[&(format!("{family}_count"), labels.clone())], last);
            assert!(self.samples.contains_key(&(format!("{family}_sum"), labels)));
        }
    }
}

/// `{name="value",…} rest`
fn labels(text: &str) -> (Labels, &str) {
    let Some(mut rest) = text.strip_prefix('{') else { return (Vec::new(), &text[1..]) };
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        let (value, after) = quoted(after);
        labels.push((name.to_owned(), value));
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                labels.sort();
                return (labels, after.strip_prefix("} ").unwrap_or_else(|| panic!("{text}")));
            }
        }
    }
}

fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    loop {
        match letters.next().unwrap_or_else(|| panic!("{text} does not end")) {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, letter @ ('\\' | '"'))) => value.push(letter),
                other => panic!("{other:?} is no escape in {text}"),
            },
            (_, letter) => value.push(letter),
        }
    }
}
