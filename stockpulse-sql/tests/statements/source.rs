//! The texts of statements in this crate's own source.

use std::path::{Path, PathBuf};

use crate::support::Kind;

/// Words that nothing but a statement has.
const WORDS: &[&str] = &[
    "BEGIN",
    "COMMIT",
    "CONFLICT",
    "DELETE",
    "DUPLICATE",
    "INSERT",
    "JOIN",
    "ORDER",
    "ROLLBACK",
    "SELECT",
    "UNION",
    "UPDATE",
    "VALUES",
    "WHERE",
];

/// A text that is sent, or a part of one, and where it is.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// Every text that has a word of SQL and that this kind of database is sent, by itself or within a longer one.
pub(crate) fn texts(kind: Kind) -> Vec<Text> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let others = [(Kind::Postgres, "postgres"), (Kind::MySql, "mysql"), (Kind::Sqlite, "sqlite")];
    let others: Vec<&str> = others.into_iter().filter(|(of, _)| *of != kind).map(|(_, folder)| folder).collect();
    let mut texts = Vec::new();
    for file in files(&source) {
        let file = file.strip_prefix(&source).unwrap();
        // What mends a half-made schema is sent by a test of its own, which halves one.
        if file == Path::new("migrate.rs") {
            continue;
        }
        if file.components().any(|part| others.iter().chain(&["tests"]).any(|name| part.as_os_str() == *name)) {
            continue;
        }
        let whole = std::fs::read_to_string(source.join(file)).unwrap();
        let code = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
        // The message of an error may name a statement.
        let prose = |text: &str| words(text).any(|word| word == "the");
        let has_sql = |text: &String| words(text).any(|word| WORDS.contains(&word)) && !prose(text);
        texts.extend(literals(code).into_iter().filter(has_sql).map(|text| Text { file: file.to_owned(), text }));
    }
    texts
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The string literals of a source file, as they are after the compiler has read them.
fn literals(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|char| *char != '\n').is_some() {},
            '\'' => {
                // A character, which may be a quote; or a lifetime, which ends with nothing.
                let mut ahead = chars.clone();
                let first = ahead.next();
                if first == Some('\\') || ahead.next() == Some('\'') {
                    chars.next();
                    let _ = chars.by_ref().skip(usize::from(first == Some('\\'))).find(|char| *char == '\'');
                }
            }
            '"' => {
                let mut literal = String::new();
                while let Some(char) = chars.next_if(|char| *char != '"') {
                    if char != '\\' {
                        literal.push(char);
                    } else if chars.next() == Some('\n') {
                        while chars.next_if(|char| char.is_whitespace()).is_some() {}
                    }
                }
                chars.next();
                literals.push(literal);
            }
            _ => {}
        }
    }
    literals
}

/// A text that was sent, as [`Text::is_in`] reads it: without blanks, and with the same sign for whatever is bound.
pub(crate) fn normal(sent: &str) -> String {
    let mut normal = String::new();
    let mut chars = sent.chars().filter(|char| !char.is_whitespace()).peekable();
    while let Some(char) = chars.next() {
        if char == '$' {
            while chars.next_if(char::is_ascii_digit).is_some() {}
            normal.push('?');
        } else {
            normal.push(char);
        }
    }
    normal
}

impl Text {
    /// Whether it is in one of these, whatever stands in its holes.
    pub(crate) fn is_in(&self, sent: &[String]) -> bool {
        let text = self.text.replace('$', "?").replace("{{", "").replace("}}", "");
        let parts: Vec<&str> =
            text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
        // `${number}` is a `?` by now.
        let parts: Vec<String> = parts.iter().map(|part| normal(part)).collect();
        let contains = |sent: &String| {
            let mut rest = sent.as_str();
            parts.iter().all(|part| {
                let found = rest.find(part.as_str());
                rest = found.and_then(|at| rest.get(at + part.len()..)).unwrap_or_default();
                found.is_some()
            })
        };
        sent.iter().any(contains)
    }
}
