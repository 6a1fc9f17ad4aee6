//! The header of an array in numpy's format: a Python dictionary of three keys, of which no more is
//! understood than numpy writes.

/// Dimensions of an array at most: numpy 1's own limit.
const RANK: usize = 32;

/// The type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// Truth values: 0 and 1.
    Bool,
    /// Unsigned integers of so many bytes.
    Unsigned(usize),
    /// Signed integers of so many bytes.
    Signed(usize),
    /// IEEE 754 of so many bytes: 2, 4 or 8.
    Float(usize),
}

impl NumberType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            NumberType::Bool => 1,
            NumberType::Unsigned(size) | NumberType::Signed(size) | NumberType::Float(size) => size,
        }
    }

    /// The type behind the letter of a `descr`.
    fn of(letter: char, size: &str) -> Option<Self> {
        let size = match size {
            "1" => 1,
            "2" => 2,
            "4" => 4,
            "8" => 8,
            _ => return None,
        };
        match letter {
            'b' if size == 1 => Some(NumberType::Bool),
            'u' => Some(NumberType::Unsigned(size)),
            'i' => Some(NumberType::Signed(size)),
            'f' if size > 1 => Some(NumberType::Float(size)),
            _ => None,
        }
    }

    /// The `descr` of the type, little-endian.
    pub(super) fn descr(self) -> String {
        let order = if self.size() == 1 { '|' } else { '<' };
        let letter = match self {
            NumberType::Bool => 'b',
            NumberType::Unsigned(_) => 'u',
            NumberType::Signed(_) => 'i',
            NumberType::Float(_) => 'f',
        };
        format!("{order}{letter}{}", self.size())
    }
}

impl std::fmt::Display for NumberType {
    /// numpy's name: `float32`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bits = 8 * self.size();
        match self {
            NumberType::Bool => f.write_str("bool"),
            NumberType::Unsigned(_) => write!(f, "uint{bits}"),
            NumberType::Signed(_) => write!(f, "int{bits}"),
            NumberType::Float(_) => write!(f, "float{bits}"),
        }
    }
}

/// What a header says.
pub(super) struct Header {
    /// The type of the elements.
    pub(super) ty: NumberType,
    /// Whether the elements are big-endian.
    pub(super) swapped: bool,
    /// Whether they are in the order of columns.
    pub(super) fortran: bool,
    /// The size of each dimension.
    pub(super) shape: Vec<usize>,
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
pub(super) fn header_of(text: &str) -> Result<Header, String> {
    let mut reader = Reader(text);
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    reader.expect('{')?;
    while !reader.eat('}') {
        let key = reader.string()?;
        reader.expect(':')?;
        let repeated = match key {
            "descr" => descr.replace(reader.descr()?).is_some(),
            "fortran_order" => fortran.replace(reader.truth()?).is_some(),
            "shape" => shape.replace(reader.shape()?).is_some(),
            _ => return Err(format!("unknown key {key:?} in the header")),
        };
        if repeated {
            return Err(format!("duplicate key {key:?} in the header"));
        }
        if !reader.eat(',') {
            reader.expect('}')?;
            break;
        }
    }
    if !reader.0.trim().is_empty() {
        return Err("text behind the header's dictionary".into());
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else {
        return Err("the header lacks one of 'descr', 'fortran_order' and 'shape'".into());
    };
    let (ty, swapped) = element(descr)?;
    Ok(Header { ty, swapped, fortran, shape })
}

/// The type behind a `descr`, and whether it is big-endian.
fn element(descr: &str) -> Result<(NumberType, bool), String> {
    let mut characters = descr.chars();
    let (order, letter) = (characters.next(), characters.next());
    let size = characters.as_str();
    let (Some(order @ ('<' | '>' | '|')), Some(letter)) = (order, letter) else {
        return Err(format!("unknown type {descr:?}"));
    };
    if let Some(ty) = NumberType::of(letter, size).filter(|ty| order != '|' || ty.size() == 1) {
        return Ok((ty, order == '>' && ty.size() > 1));
    }
    Err(match letter {
        'O' => "holds Python objects, which are pickled and never loaded; save arrays of numbers, as with .astype('float32')".into(),
        'S' | 'U' | 'T' => "holds texts, which are not compared; leave it out".into(),
        'c' => "holds complex numbers, which no graph takes".into(),
        'V' => "holds elements of no type of numpy's, as bfloat16 is saved; save it with .astype('float32')".into(),
        'M' | 'm' => "holds dates or times; save numbers".into(),
        'f' => format!("type {descr:?} is not supported; save it with .astype('float64')"),
        _ => format!("unknown type {descr:?}"),
    })
}

/// What is left of a header.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn eat(&mut self, character: char) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(character);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, character: char) -> Result<(), String> {
        let found = self.eat(character);
        let end = || self.0.chars().take(20).collect::<String>();
        if found {
            Ok(())
        } else {
            Err(format!("expected '{character}' in the header before {:?}", end()))
        }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.eat('"') { '"' } else { '\'' };
        if quote == '\'' {
            self.expect('\'')?;
        }
        let (text, rest) = self.0.split_once(quote).ok_or("a text in the header has no end")?;
        self.0 = rest;
        Ok(text)
    }

    fn descr(&mut self) -> Result<&'a str, String> {
        if self.eat('[') {
            return Err("holds records of several fields; save each as an array of its own".into());
        }
        self.string()
    }

    fn truth(&mut self) -> Result<bool, String> {
        self.0 = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err("'fortran_order' is neither True nor False".into())
    }

    fn shape(&mut self) -> Result<Vec<usize>, String> {
        let mut shape = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            self.0 = self.0.trim_start();
            let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = self.0.split_at(digits);
            shape.push(number.parse().map_err(|_| "'shape' is not of whole numbers")?);
            // Python 2 wrote long integers with an L.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if shape.len() > RANK {
                return Err(format!("more than {RANK} dimensions"));
            }
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }
}
