//! Files that come, change and go; files that are broken; uids that meet.

use masthead_sysio::{SimClock, SimFs};

use super::*;

struct Folder {
    fs: Arc<SimFs>,
    clock: Arc<SimClock>,
    dashboards: Dashboards,
}

impl Folder {
    fn new() -> Self {
        let (fs, clock) = (Arc::new(SimFs::new(1)), Arc::new(SimClock::default()));
        fs.create_dir_all("/boards".into()).unwrap();
        let (as_fs, as_clock): (Arc<dyn Fs>, Arc<dyn Clock>) = (fs.clone(), clock.clone());
        let dashboards = Dashboards::new(as_fs, as_clock, Some("/boards".into()), "/kept".into());
        Self { fs, clock, dashboards }
    }

    fn write(&self, path: &str, text: &str) {
        let path = Utf8Path::new("/boards").join(path);
        self.fs.create_dir_all(path.parent().unwrap()).unwrap();
        let file = self.fs.open(&path, OpenOptions::REPLACE).unwrap();
        file.write_all_at(text.as_bytes(), 0).unwrap();
        self.clock.advance(FRESH * 2);
    }

    /// `folder/title` of every dashboard that does not ship.
    fn titles(&self) -> Vec<String> {
        let all = self.dashboards.list();
        let own = all.iter().filter(|info| info.origin.starts_with("/boards"));
        own.map(|info| format!("{}/{}", info.folder, info.title)).collect()
    }
}

#[test]
fn files_are_seen_as_they_come_change_and_go() {
    let folder = Folder::new();
    assert!(folder.titles().is_empty());
    folder.write("a.json", r#"{"uid": "a", "title": "One"}"#);
    folder.write("team/b.json", r#"{"title": "Two", "tags": ["x"]}"#);
    assert_eq!(folder.titles(), ["/One", "team/Two"]);
    let (info, text) = folder.dashboards.get("b").unwrap();
    assert_eq!((info.tags, &*text), (vec!["x".to_owned()], r#"{"title": "Two", "tags": ["x"]}"#));
    folder.write("a.json", r#"{"uid": "a", "title": "One again"}"#);
    folder.fs.remove_file("/boards/team/b.json".into()).unwrap();
    assert_eq!(folder.titles(), ["/One again"]);
    assert!(folder.dashboards.get("b").is_none());
}

#[test]
fn what_was_read_counts_as_fresh_for_a_moment() {
    let folder = Folder::new();
    folder.write("a.json", r#"{"title": "A"}"#);
    assert_eq!(folder.titles(), ["/A"]);
    let reads = folder.fs.counters();
    folder.titles();
    assert_eq!(folder.fs.counters(), reads);
}

#[test]
fn a_broken_file_hides_no_other() {
    let folder = Folder::new();
    folder.write("broken.json", "{");
    folder.write("list.json", "[]");
    folder.write("good.json", r#"{"title": "Good"}"#);
    folder.write("notes.txt", "not a dashboard");
    folder.write(".hidden/x.json", r#"{"title": "Hidden"}"#);
    assert_eq!(folder.titles(), ["/Good"]);
    assert_eq!(folder.dashboards.read.lock().unwrap().told.len(), 2);
}

#[test]
fn the_first_file_of_a_uid_stays() {
    let folder = Folder::new();
    folder.write("a.json", r#"{"uid": "same", "title": "First"}"#);
    folder.write("b.json", r#"{"uid": "same", "title": "Second"}"#);
    assert_eq!(folder.titles(), ["/First"]);
    let told = &folder.dashboards.read.lock().unwrap().told;
    assert!(told.iter().any(|fault| fault.contains("/boards/a.json too")), "{told:?}");
}

#[test]
fn what_ships_is_there_without_a_folder_and_reads_as_json() {
    let clock: Arc<dyn Clock> = Arc::new(SimClock::default());
    let dashboards = Dashboards::new(Arc::new(SimFs::new(1)), clock, None, "/kept".into());
    assert_eq!(dashboards.list().len(), masthead_web_assets::dashboards().len());
    assert!(dashboards.read.lock().unwrap().told.is_empty());
}

#[test]
fn what_is_saved_is_there_and_can_be_changed_and_deleted() {
    let folder = Folder::new();
    folder.write("given.json", r#"{"uid": "given", "title": "Given"}"#);
    let boards = &folder.dashboards;
    boards.save("mine", r#"{"uid": "mine", "title": "Mine"}"#).unwrap();
    let (info, text) = boards.get("mine").unwrap();
    assert!(info.kept && info.title == "Mine" && &*text == r#"{"uid": "mine", "title": "Mine"}"#);
    boards.save("mine", r#"{"uid": "mine", "title": "Still mine"}"#).unwrap();
    assert_eq!(boards.get("mine").unwrap().0.title, "Still mine");
    // Another process over the same files has it too.
    let (fs, clock): (Arc<dyn Fs>, Arc<dyn Clock>) = (folder.fs.clone(), folder.clock.clone());
    let again = Dashboards::new(fs, clock, None, "/kept".into());
    assert!(again.get("mine").is_some() && again.get("given").is_none());
    assert_eq!(boards.delete("mine").unwrap().title, "Still mine");
    assert!(boards.get("mine").is_none());
    let refused = |done: Result<DashboardInfo, AdminError>| done.unwrap_err();
    assert_eq!(refused(boards.delete("mine")).class, ErrorClass::NotFound);

    let error = refused(boards.delete("given"));
    assert!(error.message.contains("/boards/given.json"), "{}", error.message);
    let error = boards.save("given", "{}").unwrap_err();
    assert!(error.message.contains("save a copy"), "{}", error.message);
    for uid in ["", "../x", "a/b", "a.b", "ä", &"x".repeat(41)] {
        assert_eq!(boards.save(uid, "{}").unwrap_err().class, ErrorClass::BadInput, "{uid}");
        assert_eq!(refused(boards.delete(uid)).class, ErrorClass::BadInput, "{uid}");
    }
}

#[test]
fn only_so_much_is_saved() {
    let folder = Folder::new();
    let boards = &folder.dashboards;
    boards.save("a", r#"{"title": "A"}"#).unwrap();
    let large = format!(r#"{{"title": "{}"}}"#, "x".repeat(KEPT_BYTES_MAX));
    assert_eq!(boards.save("b", &large).unwrap_err().class, ErrorClass::TooLarge);
    assert_eq!(boards.save("a", &large).unwrap_err().class, ErrorClass::TooLarge);
    assert_eq!(boards.get("a").unwrap().0.title, "A");
    for n in 1..KEPT_MAX {
        let path = Utf8PathBuf::from(format!("/kept/n{n}.json"));
        atomic_write(&*folder.fs, &path, br#"{"title": "N"}"#).unwrap();
    }
    assert_eq!(boards.save("c", r#"{"title": "C"}"#).unwrap_err().class, ErrorClass::TooLarge);
    // One that is there can still be changed.
    boards.save("a", r#"{"title": "A again"}"#).unwrap();
}
