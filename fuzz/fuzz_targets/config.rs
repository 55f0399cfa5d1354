//! Any text as a configuration: what is read points into the text, moves with it, and says the same when it is written
//! out piece by piece and read again.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use logrotate_rs::config::directive::Directive;
use logrotate_rs::config::include::{Loader, Place};
use logrotate_rs::config::item::Item;
use logrotate_rs::config::parser::Parser;
use logrotate_rs::config::resolve::Resolver;
use logrotate_rs::config::{Accounts, Config, Notice};
use logrotate_rs::source::{SourceFile, Span};

/// Root, and nobody else.
struct OnlyRoot;

impl Accounts for OnlyRoot {
    fn user(&self, name: &[u8]) -> Option<u32> {
        (name == b"root").then_some(0)
    }
    fn group(&self, name: &[u8]) -> Option<u32> {
        (name == b"root").then_some(0)
    }
    fn has_uid(&self, uid: u32) -> bool {
        uid == 0
    }
    fn has_gid(&self, gid: u32) -> bool {
        gid == 0
    }
    fn home(&self, _: Option<&[u8]>) -> Option<PathBuf> {
        Some("/home/me".into())
    }
}

fn read(text: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut out = |item| items.push(item);
    let mut loader = Loader::new(&OnlyRoot, false, &mut out);
    Parser::new(&mut loader, &Place::default(), SourceFile::new("F", text.to_vec())).parse();
    items
}

fn resolve(items: &[Item]) -> Config {
    let mut resolver = Resolver::default();
    items.iter().cloned().for_each(|item| resolver.take(item));
    resolver.finish()
}

/// Where things stand, moved back by so many bytes.
fn places(items: &[Item], by: usize) -> Vec<(usize, usize)> {
    let at = |place: u32| usize::try_from(place).expect("a text fits") - by;
    let of = |span: &Span| (at(span.start), at(span.end));
    items
        .iter()
        .flat_map(|item| match item {
            Item::BlockStarted(head) => {
                let patterns = head.patterns.iter().filter_map(|p| p.place.as_ref());
                patterns.chain([&head.span]).map(of).collect()
            }
            Item::Set { place, .. } => vec![of(place)],
            Item::BlockEnded { end, .. } => vec![(end - by, end - by)],
            Item::Notice(Notice::Diagnostic(found)) => found.span.iter().map(of).collect(),
            Item::Notice(Notice::Debug(_)) | Item::FileStarted | Item::FileEnded { .. } => vec![],
        })
        .collect()
}

/// What is said, without the places.
#[derive(Debug, PartialEq)]
enum Said<'a> {
    Block(&'a [u8], Vec<&'a [u8]>),
    Set(&'a Directive),
    End { dropped: bool },
    FileEnd { abandoned: bool },
    Found(&'static str),
}

fn said(items: &[Item]) -> Vec<Said<'_>> {
    items
        .iter()
        .filter_map(|item| {
            Some(match item {
                Item::BlockStarted(head) => Said::Block(
                    &head.pattern_text,
                    head.patterns.iter().map(|p| &*p.value).collect(),
                ),
                Item::Set { directive, .. } => Said::Set(directive),
                Item::BlockEnded { dropped, .. } => Said::End { dropped: *dropped },
                Item::FileEnded { abandoned } => Said::FileEnd { abandoned: *abandoned },
                Item::Notice(Notice::Diagnostic(found)) => Said::Found(found.code),
                Item::Notice(Notice::Debug(_)) | Item::FileStarted => return None,
            })
        })
        .collect()
}

/// Writes the items out, one a line, in the words of the text.
fn print(items: &[Item]) -> Vec<u8> {
    let mut text = Vec::new();
    for item in items {
        match item {
            Item::BlockStarted(head) => {
                text.extend(&*head.pattern_text);
                text.extend(b"{\n");
            }
            Item::Set { directive, place } => {
                text.extend(place.bytes());
                // A script's text begins behind its keyword and ends before the line `endscript`.
                if let Directive::Script(_, script) = directive {
                    text.extend(script);
                    text.extend(b"endscript");
                }
                text.push(b'\n');
            }
            Item::BlockEnded { .. } => text.extend(b"}\n"),
            _ => {}
        }
    }
    text
}

fuzz_target!(|text: &[u8]| {
    // It must not make us read this machine's files.
    if text.windows(7).any(|word| word == b"include") {
        return;
    }
    let items = read(text);
    let there = places(&items, 0);
    for &(start, end) in &there {
        assert!(start <= end && end <= text.len(), "{start}..{end} is not in the text");
    }
    let config = resolve(&items);
    let good = items.iter().filter(|i| matches!(i, Item::BlockEnded { dropped: false, .. }));
    assert_eq!(config.blocks.len(), good.count(), "each block that is good is there once");

    // A line above moves everything, and changes nothing.
    let above = [b"# above\n", text].concat();
    let moved = read(&above);
    assert_eq!(said(&items), said(&moved));
    assert_eq!(there, places(&moved, 8));

    // What was good is the same when it is written out alone.
    let spoilt = |item: &Item| {
        matches!(item, Item::BlockEnded { dropped: true, .. } | Item::FileEnded { abandoned: true })
    };
    // A NUL ends a value and a script, but not the line (compat CFG-6). In a last line without its end, blanks belong
    // to the value (compat CFG-17); what is written out has an end.
    let blank_at_end =
        text.last().is_some_and(|last| last.is_ascii_whitespace() || *last == b'\x0b')
            && !text.ends_with(b"\n");
    if items.iter().any(spoilt) || text.contains(&0) || blank_at_end {
        return;
    }
    let printed = print(&items);
    let again = read(&printed);
    let words = |items| -> Vec<_> {
        said(items)
            .into_iter()
            .filter(|s| !matches!(s, Said::Found(_)))
            .map(|s| format!("{s:?}"))
            .collect()
    };
    assert_eq!(words(&items), words(&again), "{}", String::from_utf8_lossy(&printed));
});
