//! What `compress` makes can be read by whoever reads gzip, to its end (compat ROT-80).

use std::process::Command;

use crate::scene::Scene;

/// Each reads the file that is its last argument and writes its content. Ruby, PHP and Perl's module
/// stop after a first gzip member without a word, so that more than one would be cut short.
const READERS: &[&[&str]] = &[
    &["zcat"],
    &["gzip", "-dc"],
    &["zgrep", ""],
    &["python3", "-c", "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())"],
    &[
        "python3",
        "-c",
        "import zlib,sys; d=zlib.decompressobj(31); \
         sys.stdout.buffer.write(d.decompress(open(sys.argv[1],'rb').read())+d.flush())",
    ],
    &["perl", "-MIO::Uncompress::Gunzip=gunzip", "-e", "gunzip($ARGV[0] => '-') or die"],
    &["ruby", "-rzlib", "-e", "Zlib::GzipReader.open(ARGV[0]) { |f| $stdout.write(f.read) }"],
    &["php", "-r", "echo gzdecode(file_get_contents($argv[1]));"],
];

#[test]
fn a_compressed_version_is_read_to_its_end_by_every_reader() {
    let lines: Vec<_> = (0..90_000).map(|i| format!("line {i} of {}", i * 7919 % 1009)).collect();
    let text = lines.join("\n") + "\n";
    assert!(text.len() > 1 << 20, "it takes more than one piece");
    for content in ["", "one line\n", &text] {
        let scene = Scene::new()
            .config("{dir}/a.log {\ncompress\nrotate 1\n}")
            .log("a.log", content)
            .run(["-f"])
            .quiet();
        let file = scene.log_path("a.log.1.gz");
        for reader in READERS {
            let output = Command::new(reader[0]).args(&reader[1..]).arg(&file).output();
            let output = output.expect(reader[0]);
            assert!(output.stdout == content.as_bytes(), "{reader:?} reads something else");
        }
        let checked = Command::new("gzip").arg("-t").arg(&file).status();
        assert!(checked.expect("gzip").success());
    }
}
