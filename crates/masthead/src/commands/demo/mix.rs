//! The traffic mix: what the demo's users do, how often, and the request each act makes.
//!
//! [`MIX`] is the one table to change. It is dealt like a deck of cards: shuffled from the seed,
//! used up, shuffled again, so that every hundred requests hold exactly the shares of the table.
//! [`OPENING`] goes first, so that each kind of answer is there within the first seconds.

use bytes::Bytes;
use fastrand::Rng;
use http::Method;
use serde_json::json;

/// One thing that a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Look through a page of items.
    List,
    /// Open an item that exists.
    Read,
    Create,
    Update,
    Delete,
    /// Open an item that was never there: 404.
    ReadMissing,
    /// Open an item by something that is no id: 4xx.
    ReadNonsense,
    /// Send an item with an empty name: 422.
    CreateInvalid,
    /// Send something that is not JSON: 400.
    CreateMalformed,
    /// Ask for a path that is not served: 404.
    Wander,
    /// Meet a fault: 500 (`DEMO_FAULTS`).
    Fail,
    /// Meet a slow answer (`DEMO_FAULTS`).
    Slow,
}

/// How many of a hundred requests each act is.
pub(super) const MIX: &[(Act, usize)] = &[
    (Act::List, 25),
    (Act::Read, 34),
    (Act::Create, 11),
    (Act::Update, 10),
    (Act::Delete, 8),
    (Act::ReadMissing, 3),
    (Act::ReadNonsense, 1),
    (Act::CreateInvalid, 2),
    (Act::CreateMalformed, 1),
    (Act::Wander, 1),
    (Act::Fail, 2),
    (Act::Slow, 2),
];

/// The first acts, once.
pub(super) const OPENING: &[Act] =
    &[Act::Create, Act::List, Act::ReadMissing, Act::Create, Act::Fail, Act::Create, Act::Read];

/// Ids remembered; at this many an item is deleted where one would be created.
pub(super) const KNOWN_IDS_MAX: usize = 500;

/// Bounds of a slow answer, in milliseconds.
const SLOW_MS: std::ops::RangeInclusive<u32> = 150..=1500;

/// A request without its address and id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub method: Method,
    pub path: String,
    pub body: Option<Bytes>,
}

/// Chooses what comes next; the same seed and answers give the same choices.
#[derive(Debug)]
pub(super) struct Mix {
    rng: Rng,
    deck: Vec<Act>,
    known: Vec<String>,
}

impl Mix {
    pub(super) fn new(seed: u32) -> Self {
        let deck = OPENING.iter().rev().copied().collect();
        Self { rng: Rng::with_seed(seed.into()), deck, known: Vec::new() }
    }

    /// A number from 0 up to 1, from the same seed as the choices.
    pub(super) fn uniform(&mut self) -> f64 {
        self.rng.f64()
    }

    /// Remembers an item that exists.
    pub(super) fn learn(&mut self, id: &str) {
        if self.known.len() < KNOWN_IDS_MAX && !self.known.iter().any(|known| known == id) {
            self.known.push(id.to_owned());
        }
    }

    /// The next request.
    pub(super) fn next_plan(&mut self) -> Plan {
        if self.deck.is_empty() {
            self.deck =
                MIX.iter().flat_map(|&(act, count)| std::iter::repeat_n(act, count)).collect();
            self.rng.shuffle(&mut self.deck);
        }
        let act = self.deck.pop().unwrap_or(Act::List);
        self.plan(act)
    }

    fn plan(&mut self, act: Act) -> Plan {
        let act = match act {
            Act::Read | Act::Update | Act::Delete if self.known.is_empty() => Act::Create,
            Act::Create if self.known.len() >= KNOWN_IDS_MAX => Act::Delete,
            act => act,
        };
        match act {
            Act::List => get(format!("/items?limit={}", self.rng.u32(5..=50))),
            Act::Read => get(format!("/items/{}", self.known_id())),
            Act::Create => with_body(Method::POST, "/items".to_owned(), &self.item()),
            Act::Update => {
                with_body(Method::PUT, format!("/items/{}", self.known_id()), &self.item())
            }
            Act::Delete => {
                let index = self.rng.usize(..self.known.len());
                let path = format!("/items/{}", self.known.swap_remove(index));
                Plan { method: Method::DELETE, path, body: None }
            }
            Act::ReadMissing => get(format!("/items/{}", self.unused_id())),
            Act::ReadNonsense => get("/items/the-blue-one".to_owned()),
            Act::CreateInvalid => {
                let mut item = self.item();
                item["name"] = json!("");
                with_body(Method::POST, "/items".to_owned(), &item)
            }
            Act::CreateMalformed => Plan {
                method: Method::POST,
                path: "/items".to_owned(),
                body: Some(Bytes::from_static(b"{\"name\": \"half an it")),
            },
            Act::Wander => get("/checkout".to_owned()),
            Act::Fail => get("/demo/fail".to_owned()),
            Act::Slow => get(format!("/demo/slow?ms={}", self.rng.u32(SLOW_MS))),
        }
    }

    /// Early items are asked for most, as in most shops.
    fn known_id(&mut self) -> &str {
        let skewed = self.rng.f64() * self.rng.f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "0 <= skewed < 1 and there are at most 500 ids"
        )]
        let index = (skewed * self.known.len() as f64) as usize;
        self.known.get(index).map_or("", String::as_str)
    }

    /// An id of the right form (UUIDv7) that no item has: its time is 1970.
    fn unused_id(&mut self) -> String {
        let tail = self.rng.u64(..1 << 48);
        format!("00000000-0000-7000-8000-{tail:012x}")
    }

    fn item(&mut self) -> serde_json::Value {
        const KINDS: [&str; 6] = ["lantern", "compass", "sextant", "rope", "barometer", "flag"];
        const LOOKS: [&str; 6] = ["brass", "old", "small", "heavy", "painted", "spare"];
        let kind = KINDS[self.rng.usize(..KINDS.len())];
        let look = LOOKS[self.rng.usize(..LOOKS.len())];
        json!({
            "name": format!("{look} {kind}"),
            "description": format!("One {look} {kind}, in good order."),
            "price": format!("{}.{:02}", self.rng.u32(1..=250), self.rng.u32(..100)),
        })
    }
}

fn get(path: String) -> Plan {
    Plan { method: Method::GET, path, body: None }
}

fn with_body(method: Method, path: String, body: &serde_json::Value) -> Plan {
    Plan { method, path, body: Some(body.to_string().into()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn drawn(seed: u32, count: usize) -> Vec<Plan> {
        let mut mix = Mix::new(seed);
        (0..count)
            .map(|index| {
                mix.learn(&format!("id-{index}"));
                mix.next_plan()
            })
            .collect()
    }

    #[test]
    fn the_shares_are_of_a_hundred() {
        assert_eq!(MIX.iter().map(|(_, count)| count).sum::<usize>(), 100);
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        assert_eq!(drawn(7, 300), drawn(7, 300));
        assert_ne!(drawn(7, 300), drawn(8, 300));
    }

    #[test]
    fn every_hundred_requests_hold_the_shares_of_the_table() {
        let mut counts = BTreeMap::new();
        for plan in &drawn(1, OPENING.len() + 100)[OPENING.len()..] {
            *counts.entry(plan.method.as_str().to_owned()).or_insert(0) += 1;
        }
        let want = [("DELETE", 8), ("GET", 68), ("POST", 14), ("PUT", 10)];
        assert!(
            counts.iter().map(|(method, count)| (method.as_str(), *count)).eq(want),
            "{counts:?}"
        );
    }

    #[test]
    fn the_opening_has_each_class_of_answer() {
        let mut mix = Mix::new(3);
        let paths: Vec<_> = OPENING.iter().map(|_| mix.next_plan().path).collect();
        assert!(paths.contains(&"/items".to_owned()) && paths.contains(&"/demo/fail".to_owned()));
        assert!(paths.iter().any(|path| path.starts_with("/items/00000000-")), "{paths:?}");
    }

    #[test]
    fn without_a_known_item_one_is_created() {
        let mut mix = Mix::new(3);
        for act in [Act::Read, Act::Update, Act::Delete] {
            assert_eq!(mix.plan(act).method, Method::POST, "{act:?}");
        }
    }

    #[test]
    fn a_deleted_item_is_forgotten() {
        let mut mix = Mix::new(3);
        mix.learn("a");
        mix.learn("a");
        assert_eq!(mix.plan(Act::Delete).path, "/items/a");
        assert_eq!(mix.plan(Act::Read).method, Method::POST);
    }

    #[test]
    fn the_stock_stays_bounded() {
        let mut mix = Mix::new(3);
        for index in 0..2 * KNOWN_IDS_MAX {
            mix.learn(&index.to_string());
        }
        assert_eq!(mix.known.len(), KNOWN_IDS_MAX);
        assert_eq!(mix.plan(Act::Create).method, Method::DELETE);
    }
}
