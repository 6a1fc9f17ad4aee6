//! Reads what one source file says about modules.

use super::lexer::{self, Token};
use super::module::{Impl, Import, Module, Named, child};

/// The module of a file, and those that are written out in it, each with its path.
pub fn modules(source: &str, path: &str) -> Vec<(String, Module)> {
    let tokens = lexer::tokens(source);
    let mut reader = Reader { tokens: &tokens, at: 0, owner: path, done: Vec::new() };
    reader.module(path);
    reader.done
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    owner: &'a str,
    done: Vec<(String, Module)>,
}

impl Reader<'_> {
    /// The text of the token that is so far from here.
    fn text(&self, away: isize) -> &str {
        let at = self.at.checked_add_signed(away);
        at.and_then(|at| self.tokens.get(at)).map_or("", |token| &token.text)
    }

    fn is_word(&self, away: usize) -> bool {
        self.tokens.get(self.at + away).is_some_and(Token::is_word)
    }

    /// Reads until the end of the file or of the module's braces.
    fn module(&mut self, path: &str) {
        let mut module = Module { owner: self.owner.to_owned(), ..Module::default() };
        let mut depth = 0_u32;
        // Whether the braces at this depth are those of the last `impl`.
        let mut in_impl = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" if depth == 0 => break,
                "}" => {
                    depth -= 1;
                    in_impl &= depth > 0;
                }
                "impl" if depth == 0 => {
                    let of = self.implemented();
                    in_impl = of.is_some();
                    module.impls.extend(of.map(|of| Impl { of, methods: Vec::new() }));
                }
                "fn" if depth > 0 && self.is_word(1) => {
                    let name = self.text(1).to_owned();
                    if depth == 1
                        && in_impl
                        && let Some(last) = module.impls.last_mut()
                    {
                        last.methods.push(name.clone());
                    }
                    module.functions.insert(name);
                }
                "." if self.is_word(1) && matches!(self.text(2), "(" | "::") => {
                    module.calls.entry(self.text(1).to_owned()).or_insert(token.line);
                }
                "mod" if self.is_word(1) => {
                    self.declaration(path, &mut module);
                    continue;
                }
                "use" if self.text(1) != "<" => {
                    let exported = self.is_exported();
                    self.at += 1;
                    self.imports(&mut Vec::new(), exported, &mut module.imports);
                    continue;
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"
                    if depth == 0 && self.is_word(1) =>
                {
                    let name = self.text(1).to_owned();
                    if !matches!(&*name, "fn" | "mut" | "unsafe" | "async" | "extern" | "_") {
                        module.defined.entry(name).or_insert(token.line);
                        self.at += 1;
                    }
                }
                "macro_rules" if self.text(1) == "!" => {
                    module.defined.insert(self.text(2).to_owned(), token.line);
                    self.at += 2;
                }
                _ if token.is_word() && !matches!(self.text(-1), "::" | "." | "fn" | "let") => {
                    self.name(&mut module);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.done.push((path.to_owned(), module));
    }

    /// The type of `impl<T> Type<T> {`; none of `impl Trait for Type {`.
    fn implemented(&self) -> Option<Vec<String>> {
        let header = self.tokens[self.at + 1..].iter().take_while(|token| token.text != "{");
        let (mut depth, mut of, mut before) = (0_i32, Vec::new(), "");
        for token in header {
            match token.text.as_str() {
                "<" => depth += 1,
                // Not that of `->`.
                ">" if before != "-" => depth -= 1,
                "for" if depth == 0 => return None,
                "where" => break,
                _ if depth == 0 && token.is_word() => of.push(token.text.clone()),
                _ => {}
            }
            before = &token.text;
        }
        Some(of).filter(|of| !of.is_empty())
    }

    /// `mod name;` or `mod name { ... }`.
    fn declaration(&mut self, path: &str, module: &mut Module) {
        let name = self.text(1).to_owned();
        let is_elsewhere = self.has_path_attribute();
        self.at += 2;
        if self.text(0) == "{" {
            self.at += 1;
            self.module(&child(path, &name));
        } else if is_elsewhere {
            // `#[path = "..."]`: a file of another crate.
            self.at += 1;
            return;
        } else {
            module.files.push(name.clone());
        }
        self.at += 1;
        module.children.insert(name);
    }

    fn has_path_attribute(&self) -> bool {
        let before = self.tokens[..self.at].iter().rev();
        let attributes: Vec<&str> = before
            .map(|token| token.text.as_str())
            .take_while(|text| !matches!(*text, ";" | "{" | "}"))
            .collect();
        attributes.windows(3).any(|it| it == ["path", "[", "#"])
    }

    /// Whether a `pub` or `pub(...)` stands before this.
    fn is_exported(&self) -> bool {
        let mut away = -1;
        if self.text(away) == ")" {
            while !matches!(self.text(away), "(" | "") {
                away -= 1;
            }
            away -= 1;
        }
        self.text(away) == "pub"
    }

    /// The leaves of a tree of `use`, from here to its `;`, `,` or `}`.
    fn imports(&mut self, prefix: &mut Vec<String>, exported: bool, into: &mut Vec<Import>) {
        let length = prefix.len();
        let mut line = 0;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "::" => {}
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.imports(prefix, exported, into);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    prefix.truncate(length);
                    // Its leaves are read.
                    return;
                }
                "as" => {
                    let path = Named { segments: prefix.clone(), line: token.line };
                    into.push(Import { name: self.text(1).to_owned(), path, exported });
                    self.at += 2;
                    prefix.truncate(length);
                    return;
                }
                "," | ";" | "}" => break,
                text => {
                    line = token.line;
                    prefix.push(text.to_owned());
                }
            }
            self.at += 1;
        }
        // `a::{self}` is `a`.
        if prefix.len() > 1 && prefix.last().is_some_and(|last| last == "self") {
            prefix.pop();
        }
        if let Some(name) = prefix.last().cloned() {
            let segments = prefix.iter().filter(|it| *it != "*").cloned().collect();
            into.push(Import { name, path: Named { segments, line }, exported });
        }
        prefix.truncate(length);
    }

    /// A path, or a word that stands alone.
    fn name(&mut self, module: &mut Module) {
        let line = self.tokens[self.at].line;
        let mut segments = vec![self.text(0).to_owned()];
        self.at += 1;
        while self.text(0) == "::" && self.is_word(1) {
            segments.push(self.text(1).to_owned());
            self.at += 2;
        }
        let is_field = self.text(0) == ":";
        match segments.len() {
            1 if is_field => {}
            1 => {
                module.words.entry(segments.remove(0)).or_insert(line);
            }
            _ => module.paths.push(Named { segments, line }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(imports: &[Import]) -> Vec<String> {
        imports.iter().map(|it| format!("{}={}", it.name, it.path.segments.join("::"))).collect()
    }

    #[test]
    fn a_file_is_read() {
        let source = "mod a; pub(crate) mod b { use super::C; fn d() {} }\n\
                      impl<F: Fn() -> u8> a::Q<F> { fn r() { s.t(); } } impl U for a::Q {}\n\
                      pub use a::{self, E as F, g::*};\n\
                      const fn h<const N: u8>() { use i::J; K::l(m::n::<O>()); p.q; }";
        let all = modules(source, "x");
        let names: Vec<&str> = all.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["x::b", "x"]);
        let (inner, file) = (&all[0].1, &all[1].1);
        assert_eq!(paths(&inner.imports), ["C=super::C"]);
        assert_eq!((inner.owner.as_str(), inner.defined["d"]), ("x", 1));
        assert_eq!(file.files, ["a"]);
        assert_eq!(paths(&file.imports), ["a=a", "F=a::E", "*=a::g", "J=i::J"]);
        assert_eq!(file.imports.iter().filter(|it| it.exported).count(), 3);
        let named: Vec<String> = file.paths.iter().map(|it| it.segments.join("::")).collect();
        assert_eq!(named, ["a::Q", "a::Q", "K::l", "m::n"]);
        assert!(file.defined.contains_key("h"));
        assert_eq!((file.impls.len(), file.impls[0].of.join("::")), (1, "a::Q".to_owned()));
        assert_eq!((&file.impls[0].methods[0][..], file.calls["t"]), ("r", 2));
        assert!(file.words.contains_key("p") && !file.words.contains_key("q"));
    }
}
