//! Items: what one is (`model`), its endpoints (`routes`), its rows (`store`).

pub mod model;
pub mod routes;
pub mod store;

pub use model::{Item, ItemInput, Price};
pub use store::Store;
