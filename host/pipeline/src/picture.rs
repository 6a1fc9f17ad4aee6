//! The graph of a pipeline for people: a table, or a drawing in the notation of Graphviz or Mermaid.

use std::fmt::Write;

use sandbar_manifest::SOURCE;
use sandbar_sandbox::{OutputSchema, World};

use crate::graph::{Begin, Section, Step};
use crate::plan::Plan;
use crate::stage_plan::StagePlan;

/// Names of classes or values that are shown.
const SHOWN: usize = 4;

/// How a graph is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GraphStyle {
    /// A line for each stage.
    #[default]
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// What a pipeline looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The pipeline's name.
    pub(crate) name: String,
    /// The source, the stages, topics beside the sink's, and the sink.
    pub(crate) nodes: Vec<PictureNode>,
}

/// A box of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PictureNode {
    /// The name of the stage.
    pub(crate) name: String,
    /// What it is.
    pub(crate) about: String,
    /// What it reads: indices of other boxes, and what flows from there.
    pub(crate) reads: Vec<(usize, &'static str)>,
    /// Whether it is a topic.
    pub(crate) is_topic: bool,
}

impl Plan {
    /// What each stage reads.
    pub fn picture(&self) -> Picture {
        let mut drawing = Drawing { plan: self, nodes: Vec::new() };
        drawing.add(SOURCE, format!("topics {}", self.topics.join(", ")), Vec::new(), true);
        let mut routes = Vec::new();
        // What makes the records of a section, and what of these leaves it.
        let mut leaving: Vec<(usize, &'static str)> = vec![(0, "records")];
        for section in &self.graph.sections {
            if let Begin::Transformer(stage) = section.begin {
                let at = drawing.stage(stage, std::mem::take(&mut leaving));
                leaving = vec![(at, "records")];
                routes.extend(self.stages[stage].routes.iter().map(|topic| (at, *topic)));
            }
            let records = leaving.clone();
            leaving = drawing.section(section, records).unwrap_or(leaving);
        }
        for (at, topic) in routes {
            let about = format!("topic {}", self.labels.topics[topic]);
            drawing.add("route", about, vec![(at, "records")], true);
        }
        let several = if self.ends.len() == 1 { "" } else { "s" };
        let mut about = format!("topic{several} {}", self.ends.join(", "));
        for schema in self.topic_schemas() {
            about += &format!("; {schema}");
        }
        drawing.add("sink", about, leaving, true);
        Picture { name: self.name.clone(), nodes: drawing.nodes }
    }
}

/// A picture as far as it is drawn.
struct Drawing<'a> {
    plan: &'a Plan,
    nodes: Vec<PictureNode>,
}

impl Drawing<'_> {
    fn add(
        &mut self,
        name: &str,
        about: String,
        reads: Vec<(usize, &'static str)>,
        is_topic: bool,
    ) -> usize {
        self.nodes.push(PictureNode { name: name.to_owned(), about, reads, is_topic });
        self.nodes.len() - 1
    }

    fn stage(&mut self, stage: usize, reads: Vec<(usize, &'static str)>) -> usize {
        let StagePlan { operator, model, .. } = &self.plan.stages[stage];
        let world = operator.component.world();
        let mut about = world.to_string();
        if let Some(model) = model {
            about += &format!(", {model}");
        }
        match world {
            World::Transformer => {}
            World::Extractor => {
                let count = self.plan.features.get(&operator.stage).copied().unwrap_or_default();
                about += &format!(", {count} feature{}", if count == 1 { "" } else { "s" });
            }
            World::Scorer => {
                let shapes = self.plan.shapes().iter();
                let shape = shapes.clone().find(|(name, _)| *name == operator.stage);
                about += &shape.map(|(_, output)| shown(output)).unwrap_or_default();
            }
        }
        self.add(&operator.stage, about, reads, false)
    }

    /// Extractors and scorers of a section, whose records are these. What leaves it; `None`: the
    /// records.
    fn section(
        &mut self,
        section: &Section,
        records: Vec<(usize, &'static str)>,
    ) -> Option<Vec<(usize, &'static str)>> {
        let mut drawn: Vec<(usize, &'static str)> = Vec::new();
        for step in &section.steps {
            let (reads, makes) = match step {
                Step::Extractor(_) => (records.clone(), "features"),
                Step::Scorer { inputs, .. } => {
                    (inputs.iter().map(|input| drawn[*input]).collect(), "predictions")
                }
            };
            let at = self.stage(step.stage(), reads);
            drawn.push((at, makes));
        }
        let leaves: Vec<_> = section.leaves.iter().map(|leaf| drawn[*leaf]).collect();
        (!leaves.is_empty()).then_some(leaves)
    }
}

/// `: NO, YES`
fn shown(output: &OutputSchema) -> String {
    let names = output.names();
    let mut text = format!(": {}", names[..names.len().min(SHOWN)].join(", "));
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

impl Picture {
    /// It in a style, each line with an end.
    pub fn show(&self, style: GraphStyle) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = match style {
            GraphStyle::Text => self.text(&mut text),
            GraphStyle::Dot => self.dot(&mut text),
            GraphStyle::Mermaid => self.mermaid(&mut text),
        };
        text
    }

    fn text(&self, out: &mut String) -> std::fmt::Result {
        let width = |of: fn(&PictureNode) -> &String| {
            self.nodes.iter().map(|node| of(node).chars().count()).max().unwrap_or_default()
        };
        let (names, abouts) = (width(|node| &node.name), width(|node| &node.about));
        for PictureNode { name, about, reads, .. } in &self.nodes {
            let from: Vec<&str> =
                reads.iter().map(|(at, _)| self.nodes[*at].name.as_str()).collect();
            let line = match from.is_empty() {
                true => format!("{name:names$}  {about}"),
                false => format!("{name:names$}  {about:abouts$}  ← {}", from.join(", ")),
            };
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn dot(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "digraph \"{}\" {{\n  rankdir = LR", escaped(&self.name))?;
        for (at, PictureNode { name, about, is_topic, .. }) in self.nodes.iter().enumerate() {
            let (name, about) = (escaped(name), escaped(about));
            let shape = if *is_topic { "cylinder" } else { "box" };
            writeln!(out, "  n{at} [shape = {shape}, label = \"{name}\\n{about}\"]")?;
        }
        for (from, to, what) in self.edges() {
            writeln!(out, "  n{from} -> n{to} [label = \"{what}\"]")?;
        }
        writeln!(out, "}}")
    }

    fn mermaid(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "flowchart LR")?;
        for (at, PictureNode { name, about, is_topic, .. }) in self.nodes.iter().enumerate() {
            let (name, about) = (entities(name), entities(about));
            let (open, close) = if *is_topic { ("[(", ")]") } else { ("[", "]") };
            writeln!(out, "  n{at}{open}\"{name}<br>{about}\"{close}")?;
        }
        for (from, to, what) in self.edges() {
            writeln!(out, "  n{from} -->|{what}| n{to}")?;
        }
        Ok(())
    }

    fn edges(&self) -> impl Iterator<Item = (usize, usize, &'static str)> {
        let reads = |(to, node): (usize, &PictureNode)| {
            node.reads.iter().map(move |(from, what)| (*from, to, *what)).collect::<Vec<_>>()
        };
        self.nodes.iter().enumerate().flat_map(reads)
    }
}

/// Text in a string of Graphviz, on one line.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace(|c: char| c.is_control(), " ")
}

/// Text in a string of Mermaid, on one line: whatever has a meaning there by its number.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' => {
                // Writing into a string does not fail.
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let node = |name: &str, about: &str, reads: &[(usize, &'static str)], is_topic| {
            PictureNode { name: name.into(), about: about.into(), reads: reads.into(), is_topic }
        };
        Picture {
            name: "p".into(),
            nodes: vec![
                node("source", "topics ^\"a\\.", &[], true),
                node("features", "extractor", &[(0, "records")], false),
                node("sink", "topic <b>", &[(1, "features")], true),
            ],
        }
    }

    #[test]
    fn it_is_drawn_in_each_style() {
        let lines = |style| picture().show(style).lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            lines(GraphStyle::Text),
            [
                "source    topics ^\"a\\.",
                "features  extractor     ← source",
                "sink      topic <b>     ← features",
            ]
        );
        let dot = lines(GraphStyle::Dot);
        assert_eq!(dot[2], r#"  n0 [shape = cylinder, label = "source\ntopics ^\"a\\."]"#);
        assert_eq!(dot[5], r#"  n0 -> n1 [label = "records"]"#);
        let mermaid = lines(GraphStyle::Mermaid);
        assert_eq!(mermaid[1], r#"  n0[("source<br>topics ^#34;a\.")]"#);
        assert_eq!(mermaid[3], r#"  n2[("sink<br>topic #60;b#62;")]"#);
        assert_eq!(mermaid[5], "  n1 -->|features| n2");
    }
}
