//! Tables in plain text.

/// Columns as wide as their widest cell; the first is set to the left, numbers to the right.
pub struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
}

impl Table {
    /// `left`: columns from the first on that are set to the left.
    pub fn new(left: usize) -> Self {
        Self {
            rows: Vec::new(),
            left,
        }
    }

    pub fn with_head(head: &[&str], left: usize) -> Self {
        let mut table = Self::new(left);
        table.row(head.iter().map(|cell| (*cell).to_owned()).collect());
        table
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn render(&self, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::from(indent);
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = if at == 0 { "" } else { "  " };
                line += gap;
                if at < self.left {
                    line += &format!("{cell:<width$}");
                } else {
                    line += &format!("{cell:>width$}");
                }
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::with_head(&["net", "ms"], 1);
        table.row(vec!["lenet".into(), "7".into()]);
        assert_eq!(table.render(" "), " net    ms\n lenet   7\n");
    }
}
