//! Blocks are opened, written, replaced and removed, whatever was left by work that was cut short.

use masthead_sysio::SimFs;

use super::*;
use crate::{bytes::put_unsigned, table::TableWriter};

const DIR: &str = "/data/blocks";
const KIND: u32 = 7;

#[derive(Debug)]
struct Plain {
    base: Base,
    sources: Vec<u64>,
}

impl Deref for Plain {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}

impl Block for Plain {
    fn open(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<Self> {
        let base = Base::open(fs, parent, name, KIND, 1)?;
        let sources = base.section(1)?.all()?.iter().map(|byte| u64::from(*byte)).collect();
        Ok(Self { base, sources })
    }

    fn sources(&self) -> &[u64] {
        &self.sources
    }

    fn last(&self) -> i64 {
        i64::try_from(self.number).unwrap_or(i64::MAX)
    }
}

fn open(fs: &SimFs) -> (Keeper, Found<Plain>) {
    Keeper::open(Arc::new(fs.clone()), DIR.into()).unwrap()
}

/// Writes a block in the place of the blocks with these numbers.
fn write(fs: &SimFs, keeper: &mut Keeper, sources: &[u64]) -> Result<Option<Plain>> {
    keeper.write(|dir| {
        let mut table = TableWriter::create(fs, &dir.join(DATA), KIND, 1)?;
        table.section(1)?;
        let mut bytes = Vec::new();
        for number in sources {
            put_unsigned(&mut bytes, *number);
        }
        table.write(&bytes)?;
        table.finish()?;
        Ok(true)
    })
}

fn listed(blocks: &[Arc<Plain>]) -> Vec<u64> {
    blocks.iter().map(|block| block.number).collect()
}

#[test]
fn a_block_counts_until_another_one_replaces_it_and_its_number_is_not_given_again() {
    let fs = SimFs::new(1);
    let (mut keeper, found) = open(&fs);
    assert!(found.blocks.is_empty());
    for _ in 0..2 {
        write(&fs, &mut keeper, &[]).unwrap();
    }
    let nothing = keeper.write::<Plain, Error>(|_| Ok(false)).unwrap();
    assert!(nothing.is_none());
    // The power goes after the merged block is there and before the others are removed.
    assert_eq!(write(&fs, &mut keeper, &[1, 2]).unwrap().unwrap().name, name(4));
    let fs = fs.crash();
    let (mut keeper, found) = open(&fs);
    assert_eq!((listed(&found.blocks), found.removed), (vec![4], 2));
    let added = write(&fs, &mut keeper, &[]).unwrap();
    let blocks = replaced(&found.blocks, added, &[]);
    assert_eq!(listed(&blocks), [4, 5]);
    let gone = unkept(&blocks, (5, 5), 0, Keep { span: Some(1), bytes: None });
    let blocks = replaced::<Plain>(&blocks, None, &gone);
    let mut removed = 0;
    keeper.remove(&gone, || removed += 1).unwrap();
    assert_eq!((listed(&blocks), removed), (vec![5], 1));
    assert_eq!(listed(&open(&fs.crash()).1.blocks), [5]);
}

#[test]
fn a_block_with_damage_is_set_aside_and_one_of_a_later_version_stops_the_start() {
    let fs = SimFs::new(2);
    let (mut keeper, _) = open(&fs);
    write(&fs, &mut keeper, &[]).unwrap();
    let path = Utf8Path::new(DIR).join(name(1)).join(DATA);
    fs.flip_bit(&path, 3, 1).unwrap();
    let (mut keeper, found) = open(&fs);
    let aside = format!("{}.corrupt", name(1));
    assert!(found.blocks.is_empty());
    assert_eq!(
        (found.corrupt[0].0.as_str(), found.set_aside),
        (aside.as_str(), vec![aside.clone()])
    );
    assert_eq!(keeper.next_name(), name(2));
    let later = Utf8Path::new(DIR).join(name(9));
    fs.create_dir_all(&later).unwrap();
    TableWriter::create(&fs, &later.join(DATA), KIND, 2).unwrap().finish().unwrap();
    let refused = Keeper::open::<Plain>(Arc::new(fs), DIR.into());
    assert!(matches!(refused, Err(Error::Version { .. })));
}

#[test]
fn what_failed_half_way_is_gone_before_blocks_change_again() {
    for nth in 1..30 {
        let fs = SimFs::new(nth);
        let (mut keeper, _) = open(&fs);
        let kept = vec![Arc::new(write(&fs, &mut keeper, &[]).unwrap().unwrap())];
        fs.fail_from(nth, std::io::ErrorKind::Other);
        let failed = write(&fs, &mut keeper, &[]).is_err();
        fs.fail_from(1 << 40, std::io::ErrorKind::Other);
        keeper.settle(&kept).unwrap();
        let published = |name: &String| parse_name(name).is_some_and(|n| *name == super::name(n));
        let names: Vec<String> = fs.read_dir(DIR.into()).unwrap();
        let count = names.into_iter().filter(published).count();
        assert_eq!(count, if failed { 1 } else { 2 }, "{nth}");
    }
}
