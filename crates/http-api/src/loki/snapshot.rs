//! `/api/v1/admin/logs/snapshot`: the store of lines as it is now, below its `snapshots` directory.
//!
//! Loki has no such address. It stands beside that of the metrics and answers in its shape, so that
//! whoever makes a backup asks both alike.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{Refusal, Shared, delete, small};

/// `POST /api/v1/admin/logs/snapshot`
pub(super) async fn create(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        status: &'static str,
        data: Data,
    }
    #[derive(Serialize)]
    struct Data {
        name: String,
    }
    delete::allowed(&shared, "snapshots are not enabled; see --web.enable-admin-api")?;
    let name = delete::blocking(&shared, |shared| shared.parts.admin.snapshot()).await?;
    Ok(small(&Answer { status: "success", data: Data { name } }))
}
