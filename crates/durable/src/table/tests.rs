//! Sections come back whole, and rot is found where it is.

use std::time::Duration;

use masthead_sysio::{SimFs, read_to_vec};

use super::*;

const KIND: u32 = 7;

fn written(sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let fs = SimFs::new(1);
    let mut writer = TableWriter::create(&fs, "/t".into(), KIND, 1).unwrap();
    for (id, bytes) in sections {
        writer.section(*id).unwrap();
        for part in bytes.chunks(1000) {
            writer.write(part).unwrap();
        }
        assert_eq!(writer.section_len(), bytes.len());
    }
    let len = writer.finish().unwrap();
    let bytes = read_to_vec(&fs, "/t".into(), 1 << 30).unwrap();
    assert_eq!(bytes.len() as u64, len);
    bytes
}

fn open(bytes: Vec<u8>) -> Result<Table> {
    Table::from_bytes("/t".into(), FileBytes::from(bytes), KIND, 1)
}

#[test]
fn sections_come_back_at_all_sizes() {
    let f = |sizes: &[usize]| {
        let sections: Vec<(u32, Vec<u8>)> = sizes
            .iter()
            .zip(1..)
            .map(|(size, id)| (id, (0..251).cycle().take(*size).collect()))
            .collect();
        let table = open(written(&sections)).unwrap();
        for (id, bytes) in &sections {
            let section = table.section(*id).unwrap();
            assert_eq!((section.all().unwrap(), section.len()), (&bytes[..], bytes.len()));
        }
        assert!(table.section(99).is_none());
        table.verify().unwrap();
    };
    f(&[]);
    f(&[0, 1, 7, 8, 9]);
    f(&[PAGE_BYTES, 3, PAGE_BYTES - 16, 2 * PAGE_BYTES + 1]);
    f(&[300 << 10, 5, 600 << 10]);
}

#[test]
fn a_bad_page_is_found_when_it_is_read_and_not_before() {
    let mut bytes = written(&[(1, vec![1; 3 * PAGE_BYTES])]);
    bytes[PAGE_BYTES + 100] ^= 4;
    let table = open(bytes).unwrap();
    let section = table.section(1).unwrap();
    assert!(
        section.read(0..1000).is_ok() && section.read(2 * PAGE_BYTES..2 * PAGE_BYTES + 9).is_ok()
    );
    let error = section.read(PAGE_BYTES - 20..PAGE_BYTES).unwrap_err();
    assert_eq!(error.to_string(), "/t: corrupt page at byte 16384");
    assert!(table.verify().is_err());
}

#[test]
fn a_file_that_nobody_reads_gives_its_memory_back_once() {
    let table = open(written(&[(1, vec![7; 100])])).unwrap();
    let section = table.section(1).unwrap();
    let f = |second: u64, want: bool| {
        assert_eq!(table.release_unread(Duration::from_secs(second)), want, "{second}");
    };
    // Opening it reads it.
    f(0, false);
    f(29, false);
    section.read(0..1).unwrap();
    f(30, false);
    f(59, false);
    f(60, true);
    f(61, false);
    section.read(0..1).unwrap();
    f(100, false);
    f(130, true);
}

#[test]
fn a_file_that_is_read_in_passing_gives_its_memory_back_on_the_way() {
    let table = open(written(&[(1, vec![7; 100])])).unwrap();
    let section = table.section(1).unwrap();
    let most = PASSING_BYTES - 1;
    assert!(!table.pass(most));
    assert_eq!(section.read_in_passing(99..100).unwrap(), [7]);
    assert!(!table.pass(most), "it was given back before the byte was read");
    assert!(table.pass(1) && !table.pass(1));
    assert!(table.pass(u64::MAX));
    assert!(section.read_in_passing(90..101).is_err());
}

#[test]
fn every_flipped_bit_is_found_and_every_cut_refused() {
    let bytes = written(&[(1, vec![5; 40]), (2, b"text".to_vec())]);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let found =
            open(flipped).is_err_and(|error| error.class() == masthead_model::ErrorClass::Corrupt);
        // The header of a known version is checked with its page.
        let later = |bytes: &[u8]| open(bytes.to_vec()).is_ok_and(|table| table.verify().is_err());
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(found || later(&flipped), "byte {at}");
        assert!(open(bytes[..at].to_vec()).is_err(), "cut at {at}");
    }
}

#[test]
fn later_versions_and_other_kinds_are_refused_by_name() {
    let bytes = written(&[]);
    let open = |kind, version| {
        Table::from_bytes("/t".into(), FileBytes::from(bytes.clone()), kind, version)
    };
    assert!(matches!(open(KIND, 0), Err(Error::Version { found: 1, known: 0, .. })));
    assert!(matches!(open(8, 1), Err(Error::Corrupt { what: "header", .. })));
}

#[test]
fn a_file_written_by_hand_from_the_document_is_read() {
    // docs/format/table.md, "Example".
    let mut file = b"MHTABLE1".to_vec();
    file.extend_from_slice(&[7, 0, 0, 0, 1, 0, 0, 0]);
    file.extend_from_slice(b"hello\0\0\0");
    let page = crc32c::crc32c(&file);
    let mut end = page.to_le_bytes().to_vec();
    end.extend_from_slice(&[3, 0, 0, 0]);
    end.extend_from_slice(&[16, 0, 0, 0, 0, 0, 0, 0]);
    end.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0]);
    end.extend_from_slice(&[24, 0, 0, 0, 0, 0, 0, 0]);
    end.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    end.extend_from_slice(&[1, 0, 0, 0]);
    end.extend_from_slice(&[0, 0x40, 0, 0]);
    end.extend_from_slice(&[0; 4]);
    let crc = crc32c::crc32c(&end);
    file.extend_from_slice(&end);
    file.extend_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(b"1ELBATHM");
    let table = open(file).unwrap();
    assert_eq!(table.section(3).unwrap().all().unwrap(), b"hello");
}
