//! A chart of ratios as SVG.

/// Bars of one group share a colour's place and are named in the legend.
pub struct Chart<'a> {
    pub title: &'a str,
    /// What one bar of each group is.
    pub series: &'a [&'a str],
    /// A name and one value for each of the series.
    pub groups: &'a [(String, Vec<f64>)],
}

const COLOURS: [&str; 6] = [
    "#1b6ca8", "#e07a3f", "#4a9d5b", "#a24a8f", "#8a7a2f", "#555555",
];
const LEFT: f64 = 60.0;
const TOP: f64 = 50.0;
const HEIGHT: f64 = 300.0;
const BAR: f64 = 26.0;
const GAP: f64 = 30.0;

impl Chart<'_> {
    /// Bars on a logarithmic axis from 1/2 to the next power of ten above the largest value.
    pub fn svg(&self) -> String {
        let values = self.groups.iter().flat_map(|(_, values)| values);
        let largest = values.copied().fold(10.0, f64::max);
        let (low, high) = ((0.5f64).log10(), largest.log10().ceil());
        let height = |value: f64| (value.max(0.5).log10() - low) / (high - low) * HEIGHT;
        let group = BAR * self.series.len() as f64 + GAP;
        let width = LEFT + group * self.groups.len() as f64 + GAP;
        let bottom = TOP + HEIGHT;
        let legend = 18.0 * self.series.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}</text>\n",
            bottom + 40.0 + legend,
            escaped(self.title),
        );
        let powers = (0..=high as i32).map(|power| 10f64.powi(power));
        for mark in powers {
            let y = bottom - height(mark);
            svg += &format!(
                "<line x1=\"{LEFT}\" x2=\"{width:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#cccccc\"/>\n\
                 <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{mark}x</text>\n",
                LEFT - 8.0,
                y + 4.0,
            );
        }
        for (at, (name, values)) in self.groups.iter().enumerate() {
            let left = LEFT + GAP / 2.0 + group * at as f64;
            for (bar, value) in values.iter().enumerate() {
                let (x, tall) = (left + BAR * bar as f64, height(*value));
                svg += &format!(
                    "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{}\"/>\n\
                     <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{value:.1}</text>\n",
                    bottom - tall,
                    BAR - 3.0,
                    COLOURS[bar % COLOURS.len()],
                    x + BAR / 2.0 - 1.5,
                    bottom - tall - 4.0,
                );
            }
            svg += &format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                left + (group - GAP) / 2.0,
                bottom + 18.0,
                escaped(name),
            );
        }
        for (at, name) in self.series.iter().enumerate() {
            let y = bottom + 36.0 + 18.0 * at as f64;
            svg += &format!(
                "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n\
                 <text x=\"{:.0}\" y=\"{y:.1}\">{}</text>\n",
                y - 10.0,
                COLOURS[at % COLOURS.len()],
                LEFT + 18.0,
                escaped(name),
            );
        }
        svg + "</svg>\n"
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_bar_within_the_picture() {
        let groups = [
            ("a <1>".to_owned(), vec![0.1, 9.9]),
            ("b".to_owned(), vec![250.0, 1.0]),
        ];
        let chart = Chart {
            title: "r & s",
            series: &["bytes", "time"],
            groups: &groups,
        };
        let svg = chart.svg();
        assert_eq!(svg.matches("<rect").count(), 1 + 4 + 2);
        assert!(svg.contains("a &lt;1&gt;") && svg.contains("r &amp; s") && svg.contains("1000x"));
        let heights = svg.split(" height=\"").skip(3).take(4);
        let heights = heights.map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap());
        let heights: Vec<f64> = heights.collect();
        assert_eq!(heights[0], 0.0, "{svg}");
        assert!(heights[2] > heights[1] && heights[1] > heights[3] && heights[2] < HEIGHT);
    }
}
