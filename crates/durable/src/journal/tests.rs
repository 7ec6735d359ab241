//! What was committed comes back; what is torn or damaged is told.

use masthead_sysio::{Random, SimClock, SimFs};

use super::*;

const DIR: &str = "/data/journal";

fn open(fs: &SimFs, options: JournalOptions) -> (Journal, Vec<Vec<u8>>, ReplayReport) {
    let mut frames = Vec::new();
    let clock = Arc::new(SimClock::default());
    let (journal, report) =
        Journal::open(Arc::new(fs.clone()), clock, DIR.into(), options, &mut |frame| {
            frames.push(frame.payload.to_vec());
            Ok(())
        })
        .unwrap();
    (journal, frames, report)
}

fn options(sync: SyncPolicy) -> JournalOptions {
    JournalOptions { sync, segment_bytes: 200, ..JournalOptions::default() }
}

fn payload(number: u64) -> Vec<u8> {
    format!("frame {number} {}", "x".repeat(usize::try_from(number % 50).unwrap())).into_bytes()
}

fn only_file(fs: &SimFs) -> Utf8PathBuf {
    let names = fs.read_dir(DIR.into()).unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    Utf8Path::new(DIR).join(&names[0])
}

#[test]
fn frames_come_back_in_order_over_segments_and_restarts() {
    let fs = SimFs::new(1);
    let mut want = Vec::new();
    for round in 0..4 {
        let (journal, frames, report) = open(&fs, options(SyncPolicy::Always));
        assert_eq!(frames, want);
        assert_eq!((report.torn_bytes, report.damage_count), (0, 0));
        for number in 0..10 {
            journal.append(&payload(round * 10 + number)).unwrap();
            want.push(payload(round * 10 + number));
        }
        assert!(journal.bytes() > 200);
    }
}

#[test]
fn power_lost_at_any_operation_keeps_what_was_acknowledged_and_nothing_else() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let mut fs = SimFs::new(seed);
        let (mut sure, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (journal, frames, report) = open(&fs, options(SyncPolicy::Always));
            assert!(
                is_subsequence(&sure, &frames),
                "seed {seed}: {:?} of {:?}, {report:?}",
                numbers(&sure),
                numbers(&frames)
            );
            assert!(is_subsequence(&frames, &sent), "seed {seed}: {:?}", numbers(&frames));
            let (base, mut life) = (frames.clone(), Vec::new());
            sure = frames;
            let kind = [std::io::ErrorKind::Other, std::io::ErrorKind::StorageFull];
            if random.coin() {
                fs.fail_nth(random.below(30), kind[random.index(2)]);
            }
            fs.fail_from(1 + random.below(60), std::io::ErrorKind::Other);
            for _ in 0..20 {
                let bytes = payload(sent.len() as u64);
                sent.push(bytes.clone());
                life.push(bytes.clone());
                if journal.append(&bytes).is_ok() {
                    // Whatever waited before it is written too.
                    sure = [base.clone(), life.clone()].concat();
                }
            }
            fs = fs.crash();
        }
    }
}

fn numbers(frames: &[Vec<u8>]) -> Vec<String> {
    let number =
        |frame: &Vec<u8>| String::from_utf8_lossy(frame).split(' ').nth(1).map(str::to_owned);
    frames.iter().filter_map(number).collect()
}

fn is_subsequence(part: &[Vec<u8>], whole: &[Vec<u8>]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|found| found == wanted))
}

#[test]
fn full_disk_refuses_and_goes_on_when_there_is_space() {
    let fs = SimFs::new(3);
    let (journal, ..) = open(&fs, JournalOptions::default());
    journal.append(b"one").unwrap();
    fs.set_capacity(60);
    let error = journal.append(b"two, which does not fit any more").unwrap_err();
    assert!(error.class().is_retryable(), "{error}");
    fs.set_capacity(1 << 20);
    journal.append(b"three").unwrap();
    let (_, frames, report) = open(&fs.kill(), JournalOptions::default());
    assert_eq!(frames, [&b"one"[..], b"two, which does not fit any more", b"three"]);
    assert_eq!(report.damage_count, 0);
}

#[test]
fn bytes_of_a_failed_sync_are_written_again() {
    let fs = SimFs::new(4);
    let (journal, ..) = open(&fs, JournalOptions::default());
    journal.append(b"one").unwrap();
    journal.flush().unwrap();
    journal.append(b"two").unwrap();
    fs.fail_nth(1, std::io::ErrorKind::Other);
    assert!(journal.flush().is_err());
    journal.append(b"three").unwrap();
    journal.flush().unwrap();
    assert_eq!(journal.synced_seq(), 3);
    let (_, frames, report) = open(&fs.crash(), JournalOptions::default());
    assert_eq!(frames, [&b"one"[..], b"two", b"three"]);
    assert_eq!(report.damage_count, 0, "{report:?}");
}

#[test]
fn too_much_that_waits_is_refused_before_it_is_taken() {
    let fs = SimFs::new(5);
    let (journal, ..) = open(&fs, JournalOptions { pending_bytes_max: 100, ..Default::default() });
    fs.set_capacity(0);
    assert!(journal.append(&[1; 60]).is_err());
    assert!(matches!(journal.admit(1), Err(Error::JournalStopped(_))));
    assert!(journal.append(&[2; 60]).is_err());
    assert_eq!(journal.last().seq, 1);
    fs.set_capacity(1 << 20);
    journal.commit(journal.last()).unwrap();
    journal.append(&[3; 60]).unwrap();
}

#[test]
fn too_much_that_is_not_synced_is_synced_before_its_time() {
    let sync = SyncPolicy::Interval(Duration::from_hours(1));
    let (journal, ..) = open(
        &SimFs::new(8),
        JournalOptions { sync, unsynced_bytes_max: 200, ..Default::default() },
    );
    let synced: Vec<u64> = (0..8)
        .map(|_| {
            journal.append(&[1; 60]).unwrap();
            journal.synced_seq()
        })
        .collect();
    // Each takes 76 bytes with its header, so the third is too much.
    assert_eq!(synced, [0, 0, 3, 3, 3, 6, 6, 6]);
}

#[test]
fn damage_in_the_middle_is_named_and_the_rest_is_read() {
    let fs = SimFs::new(6);
    let (journal, ..) = open(&fs, JournalOptions::default());
    for number in 0..5 {
        journal.append(&payload(number)).unwrap();
    }
    let path = only_file(&fs);
    fs.flip_bit(&path, 48 + 16 + 8 + 16 + 3, 2).unwrap();
    let (_, frames, report) = open(&fs.kill(), JournalOptions::default());
    assert_eq!(frames, [payload(0), payload(2), payload(3), payload(4)]);
    assert_eq!(report.damages, [Damage { path, offset: 72, bytes: 25 }]);
}

#[test]
fn every_cut_of_the_file_is_a_torn_tail_and_loses_only_cut_frames() {
    let fs = SimFs::new(7);
    let (journal, ..) = open(&fs, JournalOptions::default());
    let mut ends = vec![48];
    for number in 0..4 {
        journal.append(&payload(number)).unwrap();
        ends.push(journal.bytes());
    }
    journal.flush().unwrap();
    let path = only_file(&fs);
    for cut in 0..=*ends.last().unwrap() {
        let image = fs.crash_image(cut);
        image.open(&path, masthead_sysio::OpenOptions::UPDATE).unwrap().set_len(cut).unwrap();
        let (_, frames, report) = open(&image, JournalOptions::default());
        let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
        assert_eq!((frames.len(), report.damage_count), (whole, 0), "cut at {cut}");
        let good = ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or(0);
        assert_eq!(report.torn_bytes, cut - good, "cut at {cut}");
    }
}

#[test]
fn a_checkpoint_replaces_the_segments_before_it() {
    let fs = SimFs::new(8);
    let (journal, ..) = open(&fs, JournalOptions::default());
    journal.append(b"old").unwrap();
    let segment = journal.rotate();
    journal.append(b"new").unwrap();
    journal.checkpoint(segment, &mut |writer| writer.push(b"state")).unwrap();
    let fs = fs.crash();
    // The new segment was not synced; the checkpoint was.
    let (journal, frames, _) = open(&fs, JournalOptions::default());
    assert!(frames.starts_with(&[b"state".to_vec()]), "{frames:?}");
    assert!(!frames.contains(&b"old".to_vec()));
    let segment = journal.rotate();
    journal.checkpoint(segment, &mut |writer| writer.push(b"state 2")).unwrap();
    journal.append(b"last").unwrap();
    let (journal, frames, report) = open(&fs.kill(), JournalOptions::default());
    assert_eq!(frames.first().map(Vec::as_slice), Some(&b"state 2"[..]));
    assert_eq!(frames.last().map(Vec::as_slice), Some(&b"last"[..]));
    assert_eq!(report.damage_count, 0);
    assert!(journal.last().seq > 2, "numbers go on: {:?}", journal.last());
}

#[test]
fn segments_that_a_checkpoint_leaves_are_read_though_it_was_written_after_them() {
    let fs = SimFs::new(8);
    let (journal, ..) = open(&fs, JournalOptions::default());
    journal.append(b"old").unwrap();
    let segment = journal.rotate();
    journal.append(b"kept").unwrap();
    journal.rotate();
    journal.append(b"kept too").unwrap();
    journal.checkpoint(segment, &mut |writer| writer.push(b"state")).unwrap();
    let (_, frames, _) = open(&fs.kill(), JournalOptions::default());
    assert_eq!(frames, [&b"state"[..], b"kept", b"kept too"]);
}

#[test]
fn power_lost_while_a_checkpoint_is_written_leaves_the_old_state_or_the_new() {
    for nth in 1..25 {
        let fs = SimFs::new(nth);
        let (journal, ..) = open(&fs, options(SyncPolicy::Always));
        journal.append(b"old").unwrap();
        let segment = journal.rotate();
        fs.fail_from(nth, std::io::ErrorKind::Other);
        let done = journal.checkpoint(segment, &mut |writer| writer.push(b"state")).is_ok();
        let (_, frames, report) = open(&fs.crash(), options(SyncPolicy::Always));
        assert_eq!(report.damage_count, 0);
        assert!(frames == [b"state"] || (!done && frames == [b"old"]), "{nth}: {frames:?}");
    }
}

#[test]
fn concurrent_appenders_share_writes_and_lose_nothing() {
    let fs = SimFs::new(9);
    let (journal, ..) = open(&fs, JournalOptions::default());
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..100 {
                    journal.append(&[thread, number]).unwrap();
                }
            });
        }
    });
    let (_, frames, _) = open(&fs.kill(), JournalOptions::default());
    for thread in 0..4_u8 {
        let own: Vec<_> = frames.iter().filter(|frame| frame[0] == thread).collect();
        assert!(own.len() == 100 && own.is_sorted());
    }
}

#[test]
fn a_file_written_by_hand_from_the_document_is_read() {
    // docs/format/journal.md, "Example".
    let mut file = b"MHJOURNL".to_vec();
    file.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&[0; 20]);
    file.extend_from_slice(&crc32c::crc32c(&file).to_le_bytes());
    let mut covered = vec![2, 0, 0, 0];
    covered.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    covered.extend_from_slice(b"hi");
    file.extend_from_slice(&[2, 0, 0, 0]);
    file.extend_from_slice(&crc32c::crc32c(&covered).to_le_bytes());
    file.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(b"hi");
    let fs = SimFs::new(10);
    fs.create_dir_all(DIR.into()).unwrap();
    let path = Utf8Path::new(DIR).join("journal-00000001-00");
    masthead_sysio::atomic_write(&fs, &path, &file).unwrap();
    let (_, frames, report) = open(&fs, JournalOptions::default());
    assert_eq!((frames, report.torn_bytes), (vec![b"hi".to_vec()], 0));
}

#[test]
fn a_cursor_follows_the_writer_over_segments_and_restarts() {
    let fs = SimFs::new(1);
    let (mut cursor, mut read, mut sent) = (Cursor::default(), Vec::new(), Vec::new());
    for round in 0..4 {
        let (journal, _, _) = open(&fs, options(SyncPolicy::Always));
        for number in 0..10 {
            let bytes = payload(round * 10 + number);
            journal.append(&bytes).unwrap();
            sent.push(bytes);
            if number % 3 == 0 {
                let size = usize::try_from(number * 40).unwrap();
                let mut take = |frame: Frame<'_>| {
                    read.push(frame.payload.to_vec());
                    Ok(())
                };
                while journal.read(&mut cursor, size, &mut take).unwrap() {}
            }
        }
        let behind = Cursor::after(cursor.seq());
        assert_eq!(behind.seq(), cursor.seq());
        cursor = behind;
    }
    assert_eq!(read, sent);
}

#[test]
fn memory_used_again_shows_nothing_of_the_frame_before() {
    const ROOM: usize = 600 << 10;
    let fs = SimFs::new(11);
    let (journal, ..) = open(&fs, JournalOptions::default());
    let mut want = Vec::new();
    for (byte, len) in [(b'a', ROOM), (b'b', 400 << 10), (b'c', 7), (b'd', 0), (b'e', ROOM)] {
        let mut draft = journal.draft(ROOM);
        assert_eq!(draft.payload(), b"");
        draft.end().extend(vec![byte; len]);
        want.push(draft.payload().to_vec());
        let ticket = journal.enqueue_draft(draft).unwrap();
        journal.commit(ticket).unwrap();
        journal.flush().unwrap();
        // A payload that is copied takes the same memory.
        want.push(vec![byte; ROOM]);
        journal.append(&want[want.len() - 1]).unwrap();
        assert_eq!(journal.buffers.bytes(), 0);
        journal.flush().unwrap();
        assert!(journal.buffers.bytes() >= ROOM, "it was synced and is not kept");
    }
    // Nothing came: the memory goes back.
    journal.tick().unwrap();
    journal.tick().unwrap();
    assert_eq!(journal.buffers.bytes(), 0);
    let (_, frames, report) = open(&fs.crash(), JournalOptions::default());
    assert_eq!(report.damage_count, 0);
    assert!(frames == want, "{:?}", frames.iter().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn drafts_of_a_failed_sync_are_kept_until_they_are_written_again() {
    let fs = SimFs::new(12);
    let (journal, ..) = open(&fs, JournalOptions::default());
    let mut want = Vec::new();
    let append = |byte: u8, want: &mut Vec<Vec<u8>>| {
        let mut draft = journal.draft(600 << 10);
        draft.end().extend(vec![byte; 600 << 10]);
        want.push(draft.payload().to_vec());
        journal.commit(journal.enqueue_draft(draft).unwrap())
    };
    append(b'a', &mut want).unwrap();
    fs.fail_nth(1, std::io::ErrorKind::Other);
    assert!(journal.flush().is_err());
    assert_eq!(journal.buffers.bytes(), 0);
    // Were the memory of the first one given away, this one would be written over it.
    append(b'b', &mut want).unwrap();
    journal.flush().unwrap();
    let (_, frames, report) = open(&fs.crash(), JournalOptions::default());
    assert_eq!(report.damage_count, 0);
    assert!(frames == want, "{:?}", frames.iter().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn large_and_small_frames_that_wait_together_keep_their_order() {
    let fs = SimFs::new(13);
    let (journal, ..) = open(&fs, JournalOptions { segment_bytes: 1 << 20, ..Default::default() });
    let mut random = Random::new(13);
    let mut want = Vec::new();
    for number in 0..40_u8 {
        let mut draft = journal.draft(0);
        let len = [3, 100_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 9][random.index(5)];
        draft.end().extend(vec![number; len]);
        want.push(draft.payload().to_vec());
        if random.coin() {
            journal.enqueue(draft.payload()).unwrap();
        } else {
            journal.enqueue_draft(draft).unwrap();
        }
    }
    let whole: usize = want.iter().map(|frame| frame.len() + frame::FRAME_HEADER_BYTES).sum();
    assert_eq!(journal.queue.lock().pending_bytes, whole);
    journal.commit(journal.last()).unwrap();
    assert_eq!(journal.queue.lock().pending_bytes, 0);
    let (_, frames, report) = open(&fs.kill(), JournalOptions::default());
    assert_eq!(report.damage_count, 0);
    assert!(frames == want, "{:?}", frames.iter().map(Vec::len).collect::<Vec<_>>());
}
