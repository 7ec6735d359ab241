//! `static_configs`: targets that stand in the configuration and never change.

use std::{future::Future, pin::Pin};

use super::{Discoverer, Parts, Updates};
use crate::{Configs, Error, StaticConfig, TargetGroup};

#[derive(Debug)]
struct List {
    configs: Vec<StaticConfig>,
}

#[expect(clippy::unnecessary_wraps, reason = "all mechanisms have one signature")]
pub(super) fn make(configs: &Configs, _: &Parts) -> Result<Vec<Box<dyn Discoverer>>, Error> {
    let configs = configs.static_configs.clone();
    Ok(if configs.is_empty() { Vec::new() } else { vec![Box::new(List { configs })] })
}

impl Discoverer for List {
    fn mechanism(&self) -> &'static str {
        "static_configs"
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let groups = self
            .configs
            .iter()
            .enumerate()
            .map(|(at, config)| {
                TargetGroup::of_addresses(at.to_string(), &config.targets, &config.labels, None)
            })
            .collect();
        updates.replace(groups);
        Box::pin(std::future::ready(()))
    }
}
