//! Columns for people.

/// A table whose columns are as wide as what they hold; those named in `right` hold numbers.
pub(super) fn table(head: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut out = line(&widths, right, head.iter().copied());
    for row in rows {
        out.push_str(&line(&widths, right, row.iter().map(String::as_str)));
    }
    out
}

fn line<'a>(widths: &[usize], right: &[usize], cells: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (column, (cell, width)) in cells.zip(widths).enumerate() {
        let gap = if column == 0 { "" } else { "  " };
        out.push_str(gap);
        match right.contains(&column) {
            true => out.push_str(&format!("{cell:>width$}")),
            false => out.push_str(&format!("{cell:<width$}")),
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["/a".into(), "1000".into()], vec!["/länger".into(), "1".into()]];
        let shown = table(&["TOPIC", "N"], &[1], &rows);
        assert_eq!(shown, "TOPIC       N\n/a       1000\n/länger     1\n");
    }
}
