//! Tables for people: a first column to the left, figures to the right.

use std::fmt;

/// Rows under a heading; each row has as many cells as the heading.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(ToString::to_string).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width =
            |column: usize| self.rows.iter().filter_map(move |row| Some(row.get(column)?.chars().count()));
        (0..columns).map(|column| width(column).max().unwrap_or(0)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::from(" ");
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                line += &if column == 0 { format!(" {cell}{pad}") } else { format!("   {pad}{cell}") };
            }
            writeln!(f, "{}", line.trim_end())?;
            if index == 0 {
                let rule = widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1);
                writeln!(f, "  {}", "─".repeat(rule))?;
            }
        }
        Ok(())
    }
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in MiB, with one digit after the point.
pub(crate) fn mib(bytes: f64) -> String {
    format!("{:.1}", bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_beside_other_alphabets() {
        let mut table = Table::new(&["server", "µs"]);
        table.row(["a".to_owned(), "10.25".to_owned()]);
        table.row(["longer".to_owned(), "9".to_owned()]);
        let expected = "  server      µs\n  ──────────────\n  a        10.25\n  longer       9\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(999.4), "999");
        assert_eq!(grouped(1_000.0), "1,000");
        assert_eq!(grouped(-123_456.0), "-123,456");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }

    #[test]
    fn mebibytes_have_one_digit() {
        assert_eq!(mib(1_572_864.0), "1.5");
    }
}
