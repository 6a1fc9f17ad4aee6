//! The languages of operators.

use std::fmt;

/// The language that an operator is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// The fastest, and the only one with tests outside of the sandbox.
    Rust,
    /// By componentize-py: CPython inside of the component.
    Python,
    /// By ComponentizeJS: SpiderMonkey inside of the component.
    #[value(name = "javascript")]
    JavaScript,
}

impl Language {
    /// The name of its templates' folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::JavaScript => "javascript",
        }
    }

    /// The path of the component that its build creates.
    pub(super) fn component(self, name: &str) -> String {
        match self {
            // rustc's file names have no hyphens.
            Language::Rust => {
                format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"))
            }
            Language::Python | Language::JavaScript => format!("{name}.wasm"),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::JavaScript => "JavaScript",
        })
    }
}
