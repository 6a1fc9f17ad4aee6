//! The grammar: words become a tree, in which each node knows its place.

use crate::lex::{Token, Word, words};
use crate::problem::Problem;

/// Bytes of an expression at most.
pub const LENGTH: usize = 8 * 1024;
/// Levels of nesting at most. A chain such as `a + b + c` has one for each sign; `&&` and `||`
/// have one for the whole chain.
pub const DEPTH: usize = 64;

/// A node, and the byte of the text that stands for it.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
    /// How many levels it has.
    depth: usize,
}

impl Tree {
    /// The name `a.b.c`, if it is one.
    pub(crate) fn qualified(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select(operand, field) => Some(format!("{}.{field}", operand.qualified()?)),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Name(String),
    /// `operand.field`
    Select(Box<Tree>, String),
    /// `operand[key]`
    Index(Box<Tree>, Box<Tree>),
    /// `name(arguments)` or `target.name(arguments)`
    Call(Option<Box<Tree>>, String, Vec<Tree>),
    /// An operator with the name of its sign.
    Sign(&'static str, Vec<Tree>),
    /// `condition ? first : second`
    Choice(Box<[Tree; 3]>),
}

/// Operators of two sides by how tightly they bind, the loosest first. Those of a row associate
/// to the left.
const BINARY: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">", "in"], &["+", "-"], &["*", "/", "%"]];

/// Reads an expression.
pub(crate) fn parse(source: &str) -> Result<Tree, Problem> {
    if source.len() > LENGTH {
        let message = format!("longer than {LENGTH} bytes; make it shorter");
        return Err(Problem::at(source, LENGTH, message));
    }
    let mut parser = Parser { source, words: words(source)?, next: 0, depth: 0 };
    if parser.peek() == &Word::End {
        return Err(parser.problem("the expression is empty; write one"));
    }
    let tree = parser.expression()?;
    match parser.peek() {
        Word::End => Ok(tree),
        _ => Err(parser.unexpected("an operator, or the end")),
    }
}

struct Parser<'a> {
    source: &'a str,
    words: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Word {
        self.words.get(self.next).map_or(&Word::End, |token| &token.word)
    }

    fn at(&self) -> usize {
        self.words.get(self.next).map_or(self.source.len(), |token| token.at)
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.source, self.at(), message)
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let found = match self.peek() {
            Word::End => "the end".to_owned(),
            Word::Sign(sign) => format!("'{sign}'"),
            Word::Name(name) => format!("'{name}'"),
            Word::Text(_) => "a text".to_owned(),
            Word::Int(_) | Word::Number(_) => "a number".to_owned(),
        };
        self.problem(format!("expected {expected}, got {found}"))
    }

    /// Goes past a sign, if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Word::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Problem> {
        match self.sign(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("'{sign}'"))),
        }
    }

    fn tree(&self, at: usize, kind: Kind) -> Result<Tree, Problem> {
        let deepest = |trees: &[Tree]| trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
        let depth = 1 + match &kind {
            Kind::List(trees) | Kind::Sign(_, trees) | Kind::Call(None, _, trees) => deepest(trees),
            Kind::Call(Some(target), _, trees) => deepest(trees).max(target.depth),
            Kind::Select(operand, _) => operand.depth,
            Kind::Index(operand, key) => operand.depth.max(key.depth),
            Kind::Choice(trees) => deepest(&trees[..]),
            _ => 0,
        };
        match depth <= DEPTH {
            true => Ok(Tree { at, kind, depth }),
            false => Err(Problem::at(self.source, at, too_deep())),
        }
    }

    /// Reads something inside of something else.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.depth >= DEPTH {
            return Err(self.problem(too_deep()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Tree, Problem> {
        self.nested(|parser| {
            let condition = parser.binary(0)?;
            let at = parser.at();
            if !parser.sign("?") {
                return Ok(condition);
            }
            let first = parser.nested(|parser| parser.binary(0))?;
            parser.expect(":")?;
            let second = parser.expression()?;
            parser.tree(at, Kind::Choice(Box::new([condition, first, second])))
        })
    }

    fn binary(&mut self, level: usize) -> Result<Tree, Problem> {
        let Some(signs) = BINARY.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let at = self.at();
            let found = signs.iter().find(|sign| match self.peek() {
                Word::Sign(found) => *found == **sign,
                Word::Name(name) => name == "in" && **sign == "in",
                _ => false,
            });
            let Some(sign) = found.copied() else { return Ok(left) };
            self.next += 1;
            let right = self.binary(level + 1)?;
            left = match left {
                // A chain of conditions is one node: it may be long.
                // In brackets as well, since both are associative.
                Tree { at, kind: Kind::Sign(same, mut sides), .. } if same == sign && level < 2 => {
                    sides.push(right);
                    self.tree(at, Kind::Sign(sign, sides))?
                }
                left => self.tree(at, Kind::Sign(sign, vec![left, right]))?,
            };
        }
    }

    fn unary(&mut self) -> Result<Tree, Problem> {
        let at = self.at();
        for sign in ["!", "-"] {
            if !self.sign(sign) {
                continue;
            }
            // The smallest whole number has no positive one.
            if sign == "-"
                && let Word::Int(value) = self.peek()
                && *value == i64::MIN.unsigned_abs()
            {
                self.next += 1;
                return self.tree(at, Kind::Int(i64::MIN));
            }
            let operand = self.nested(Self::unary)?;
            return match operand.kind {
                Kind::Int(value) if sign == "-" && value != i64::MIN => {
                    self.tree(at, Kind::Int(-value))
                }
                Kind::Number(value) if sign == "-" => self.tree(at, Kind::Number(-value)),
                kind => self.tree(at, Kind::Sign(sign, vec![Tree { kind, ..operand }])),
            };
        }
        self.member()
    }

    fn member(&mut self) -> Result<Tree, Problem> {
        let mut tree = self.primary()?;
        loop {
            let at = self.at();
            if self.sign(".") {
                let name = match self.peek() {
                    Word::Name(name) => name.clone(),
                    Word::Sign("?") => {
                        return Err(self.problem("optional fields are not offered; write has(...)"));
                    }
                    _ => return Err(self.unexpected("a name behind '.'")),
                };
                let name_at = self.at();
                self.next += 1;
                tree = if self.sign("(") {
                    let arguments = self.list(")")?;
                    self.tree(name_at, Kind::Call(Some(Box::new(tree)), name, arguments))?
                } else {
                    self.tree(at, Kind::Select(Box::new(tree), name))?
                };
            } else if self.sign("[") {
                let key = self.expression()?;
                self.expect("]")?;
                tree = self.tree(at, Kind::Index(Box::new(tree), Box::new(key)))?;
            } else {
                return Ok(tree);
            }
        }
    }

    fn primary(&mut self) -> Result<Tree, Problem> {
        let at = self.at();
        let kind = match self.peek().clone() {
            Word::Int(value) => match i64::try_from(value) {
                Ok(value) => Kind::Int(value),
                Err(_) => {
                    let message = "not a whole number of 64 bits; write it with '.0' behind it";
                    return Err(self.problem(message));
                }
            },
            Word::Number(value) => Kind::Number(value),
            Word::Text(text) => Kind::Text(text),
            Word::Name(name) => match name.as_str() {
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                "null" => Kind::Null,
                "in" => return Err(self.unexpected("a value")),
                _ => {
                    self.next += 1;
                    if !self.sign("(") {
                        return self.tree(at, Kind::Name(name));
                    }
                    let arguments = self.list(")")?;
                    return self.tree(at, Kind::Call(None, name, arguments));
                }
            },
            Word::Sign("(") => {
                self.next += 1;
                let tree = self.expression()?;
                self.expect(")")?;
                return Ok(tree);
            }
            Word::Sign("[") => {
                self.next += 1;
                let items = self.list("]")?;
                return self.tree(at, Kind::List(items));
            }
            Word::Sign("{") => {
                return Err(self.problem("maps cannot be written; compare with '==' or use a list"));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        self.tree(at, kind)
    }

    /// Expressions with commas between them, until `end`.
    fn list(&mut self, end: &str) -> Result<Vec<Tree>, Problem> {
        let mut items = Vec::new();
        while !self.sign(end) {
            items.push(self.expression()?);
            if !self.sign(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }
}

fn too_deep() -> String {
    format!("nested deeper than {DEPTH} levels; make the expression simpler")
}
