use super::*;
use libdeflater::Decompressor;
use std::os::unix::fs::FileExt;

fn text(length: usize) -> Vec<u8> {
    let lines = (0_u32..).flat_map(|i| {
        let number = i.wrapping_mul(2_654_435_761);
        format!("Nov 22 16:{:02}:{:02} host app[{}]: request {number}\n", i % 60, i % 59, i % 997)
            .into_bytes()
    });
    lines.take(length).collect()
}

fn packed(bytes: &[u8], level: u8, shape: Shape, threads: usize) -> Vec<u8> {
    let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    from.write_all_at(bytes, 0).unwrap();
    compress(&from, &to, level, shape, threads).unwrap();
    let mut result = vec![0; usize::try_from(to.metadata().unwrap().len()).unwrap()];
    to.read_exact_at(&mut result, 0).unwrap();
    result
}

fn unpacked(member: &[u8], length: usize) -> Vec<u8> {
    let mut plain = vec![0; length];
    // It stops at the end of the first member, and checks length and CRC.
    assert_eq!(Decompressor::new().gzip_decompress(member, &mut plain), Ok(length));
    plain
}

#[test]
fn files_of_all_sizes_become_one_member_on_any_number_of_threads() {
    let long = text(5 * PIECE + 17);
    for length in [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, long.len()] {
        let mut results =
            [1, 2, 3, 8].map(|threads| packed(&long[..length], 6, Shape::One, threads));
        assert_eq!(unpacked(&results[0], length), &long[..length], "{length}");
        results.sort();
        assert_eq!(results.first(), results.last(), "threads change nothing");
    }
}

#[test]
fn each_member_is_that_of_a_piece_by_itself() {
    let long = text(2 * PIECE + 17);
    for length in [0, 1, PIECE, PIECE + 1, long.len()] {
        let mut results = [1, 2, 8].map(|n| packed(&long[..length], 6, Shape::Members, n));
        results.sort();
        assert_eq!(results.first(), results.last(), "threads change nothing");
        let members: Vec<_> = long[..length]
            .chunks(PIECE)
            .map(|piece| {
                let member = packed(piece, 6, Shape::Members, 1);
                assert_eq!(unpacked(&member, piece.len()), piece);
                member
            })
            .collect();
        let nothing = packed(b"", 6, Shape::Members, 1);
        assert_eq!(unpacked(&nothing, 0), b"");
        let expected = if length == 0 { nothing } else { members.concat() };
        assert!(results[0] == expected, "{length}");
    }
}

#[test]
fn a_higher_level_makes_less() {
    let text = text(2 * PIECE);
    let [fast, best] = [1, 9].map(|level| packed(&text, level, Shape::One, 2));
    assert!(best.len() < fast.len(), "{} and {}", best.len(), fast.len());
    assert_eq!(unpacked(&best, text.len()), text);
}

#[test]
fn an_output_that_refuses_is_an_error() {
    let from = tempfile::tempfile().unwrap();
    from.write_all_at(&text(4 * PIECE), 0).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test opens files")]
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for threads in [1, 2] {
        let result = compress(&from, &full, 6, Shape::One, threads);
        assert_eq!(result, Err(NotCompressed::System(Errno::ENOSPC)));
    }
}
